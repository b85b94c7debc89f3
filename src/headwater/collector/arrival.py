"""Say who sent a request.

In: what the door knows beside the body. Out: the facts that every record of the request carries.
"""

from datetime import datetime

import msgspec

from headwater.collector.drop_rules import NO_DROPS, DropRules
from headwater.workspace import MaskingPolicy


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent a request, from where, and when it came."""

    app_id: str
    received_at: datetime
    ip_address: str = ""
    sdk: str = ""
    """Name and version of the client library, as it names itself."""
    content_type: str = ""
    """Of the request's body, as the client names it."""
    masking: MaskingPolicy = MaskingPolicy()
    """What the app decided to hide."""
    drops: DropRules = NO_DROPS
    """What the app decided to leave out."""
    is_backfill: bool = False
    """The sender says that this is history: old times are no sign of trouble."""
