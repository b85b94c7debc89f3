"""What a person did in a product beside calling its API: a page seen, a button pressed.

A record of the `calls` stream of the log, tagged `action`; secrets are masked before it is made.
"""

from datetime import datetime

import msgspec
from msgspec import Raw

from headwater.model.api_call import NO_JSON


class Action(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="t",
    tag="action",
    omit_defaults=True,
    gc=False,
):
    """One thing done, by a user or by a visitor who is not known yet."""

    app_id: str
    action_id: str
    """The client's `transaction_id`, else one made on arrival. The key of de-duplication."""
    time: datetime
    """When it was done, UTC; the arrival when the client did not say."""
    received_at: datetime
    action_name: str
    uri: str
    """The page, as sent, with the values of secret query parameters masked."""
    user_id: str = ""
    company_id: str = ""
    anonymous_id: str = ""
    session_key: str = ""
    """Keyed fingerprint of the session token; the token itself is never kept."""
    ip_address: str = ""
    user_agent: str = ""
    sdk: str = ""
    """Name and version of the library that reported it."""
    metadata: Raw = NO_JSON
    extra: Raw = NO_JSON
    """Fields that have no column, as a JSON object."""
    flags: tuple[str, ...] = ()
    """What was unusual: `time_missing`, `time_unreadable`, `time_approximate`, `late`, …"""
