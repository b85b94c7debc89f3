"""Show Headwater to people and to their programs: pages, management API, health.

In: HTTP. Out: HTML and JSON. Asks the rooms below through their front doors and keeps no state of
its own, so that any number of processes can answer.
"""

from headwater.web.server import create_web
from headwater.web.services import Services

__all__ = ["Services", "create_web"]
