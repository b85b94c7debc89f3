"""The pages of privacy: all regulations, asking for one, and what became of one at each place.

In: a form with user ids, an id. Out: pages and redirects. Whom one is about is never shown.
"""

from headwater.web.privacy.listing import RegulationListController
from headwater.web.privacy.one import RegulationController

PRIVACY_PAGES = (RegulationListController, RegulationController)

__all__ = ["PRIVACY_PAGES"]
