"""Say who sent a request, and check the ids in it.

In: what the door knows beside the body. Out: the facts that every record carries, and opaque ids of
bounded size. Pure.
"""

from datetime import datetime

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.collector.drop_rules import NO_DROPS, DropRules
from headwater.workspace import MaskingPolicy

LONGEST_ID_BYTES = 512
_SURELY_SHORT = LONGEST_ID_BYTES // 4
"""Characters: each has at most four bytes."""


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


def checked_id(value: str | None, path: str) -> str:
    """Return an id as it is, "" when not given; ids are compared byte by byte, never changed."""
    if not value:
        return ""
    if len(value) > _SURELY_SHORT and len(value.encode()) > LONGEST_ID_BYTES:
        raise InvalidInputError(f"An id has at most {LONGEST_ID_BYTES} bytes.", field=path)
    return value
