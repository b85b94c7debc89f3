"""Many calls of few facts as one record, column by column: what lines of an access log tell.

A record of the `calls` stream of the log, tagged `table`. Numbers stand side by side, little end
first; each different text is held once, so that whoever masks or reads it does so once.
"""

from datetime import datetime

import msgspec

ID_BYTES = 16
"""Of a call id; it is stored as their hexadecimal digits."""
UNKNOWN_SIZE = -1
_STATUS_BYTES = 2


class Texts(msgspec.Struct, frozen=True, gc=False):
    """A column of texts."""

    values: list[str]
    """The different ones."""
    places: bytes
    """Where in `values` each row's text stands, four bytes a row."""


class CallColumns(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The facts."""

    call_ids: bytes
    """`ID_BYTES` each."""
    times: bytes
    """Microseconds since 1970, eight bytes each."""
    statuses: bytes
    """Two bytes each."""
    response_sizes: bytes
    """Bytes that were answered, eight bytes each; `UNKNOWN_SIZE` where a line is silent."""
    verbs: Texts
    uris: Texts
    user_ids: Texts
    """Empty where nobody is named, as are referers and agents."""
    ip_addresses: Texts
    referers: Texts
    user_agents: Texts

    @property
    def rows(self) -> int:
        """How many calls these are."""
        return len(self.statuses) // _STATUS_BYTES


class CallTable(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="table", gc=False):
    """Calls of one app that arrived together; all are history, loaded on purpose."""

    rows: int
    """First of all fields, so that a reader can weigh a record without reading it."""
    app_id: str
    received_at: datetime
    sdk: str
    columns: CallColumns
