"""Show operators the records of the log that nobody could read: they belong to no app.

In: a number. Out: how many there are, and the newest of them. Each is a sign of damage or of a
release that reads less than an older one wrote; none is ever dropped in silence.
"""

from datetime import datetime

import msgspec

from headwater.eventstore import EventStore

_NOBODYS = "FROM rejects WHERE app_id = ''"


class UnreadableRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a log entry."""

    received_at: datetime
    log_offset: int
    reason: str
    sample: str
    """The line, as far as it is text; secrets were masked before it went into the log."""


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest had to set aside."""

    count: int
    items: list[UnreadableRecord]
    """Newest first."""


async def count_unreadable(store: EventStore) -> int:
    """Return how many records nobody could read."""
    (row,) = await store.select(f"SELECT count() AS n {_NOBODYS}")
    return int(row["n"])


async def list_unreadable(store: EventStore, limit: int) -> Unreadable:
    """Return the newest."""
    rows = await store.select(
        f"SELECT received_at, log_offset, reason, sample {_NOBODYS}"
        " ORDER BY received_at DESC, reject_id DESC LIMIT {limit:UInt32}",
        {"limit": limit},
    )
    items = msgspec.convert(rows, list[UnreadableRecord])
    return Unreadable(count=await count_unreadable(store), items=items)
