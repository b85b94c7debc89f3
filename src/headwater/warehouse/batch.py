"""Take a batch of messages from the log and sort it by source.

In: log entries. Out: rows of each source that a warehouse wants. A record that cannot be read is
counted and passed: one bad record never stops a warehouse.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.eventlog import Entry, EventLog, Stream, split_records
from headwater.model import Message
from headwater.warehouse.tables import Notice, Rows

_BATCH_BYTES = 48_000_000
_READ_ENTRIES = 64
_READ_BYTES = 8_000_000
_READ_WAIT_S = 1.0
_decoder = msgspec.json.Decoder(Message)


async def take_entries(
    log: EventLog, first: int, last: int, *, max_messages: int | None
) -> list[Entry]:
    """Return entries from `first` to `last`, fewer when they hold more than a batch should.

    With `max_messages` None the whole range comes, whatever its size: it was a batch before.
    """
    taken: list[Entry] = []
    messages = size_bytes = 0
    while first + len(taken) <= last:
        for entry in await log.read(
            Stream.MESSAGES,
            first + len(taken),
            max_entries=_READ_ENTRIES,
            max_bytes=_READ_BYTES,
            wait_s=_READ_WAIT_S,
        ):
            messages += entry.data.count(b"\n") + 1
            size_bytes += len(entry.data)
            full = max_messages and (messages > max_messages or size_bytes > _BATCH_BYTES)
            if entry.offset > last or (full and taken):
                return taken
            taken.append(entry)
    return taken


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages a warehouse wants, and how its rows are named."""

    warehouse_id: str
    source_id: str | None = None
    """None: all sources."""
    identifier_bytes: int = 127
    unwanted: Mapping[str, frozenset[str]] = {}
    """By source: tables and `table.column` that are left out; `""` leaves out the source."""
    is_forgotten: Callable[[Message], bool] = lambda _message: False


def sort_by_source(
    entries: Sequence[Entry], wish: Wish, loaded_at: datetime
) -> tuple[dict[str, Rows], Counter[Notice]]:
    """Return the rows of each source, and notices of what has no row."""
    sources: dict[str, Rows] = {}
    notices: Counter[Notice] = Counter()
    for entry in entries:
        for record in split_records(entry.data):
            try:
                message = _decoder.decode(record)
            except msgspec.MsgspecError:
                notices[Notice("unreadable")] += 1
                continue
            if not _is_of(message, wish):
                continue
            mine = sources.get(message.source_id)
            if mine is None:
                unwanted = wish.unwanted.get(message.source_id, frozenset())
                mine = Rows(loaded_at, wish.identifier_bytes, unwanted)
                sources[message.source_id] = mine
            mine.add(message)
    return sources, notices


def _is_of(message: Message, wish: Wish) -> bool:
    if wish.source_id not in {None, message.source_id}:
        return False
    if "" in wish.unwanted.get(message.source_id, ()):
        return False
    return not wish.is_forgotten(message) and is_wanted(message.body, wish.warehouse_id)


def is_wanted(body: dict[str, Any], warehouse_id: str) -> bool:
    """Tell whether the sender lets the message into this warehouse.

    Only `integrations.Warehouses` decides: `false` or `{"all": false}` keep it out of all,
    `{"warehouseIds": […]}` lets it into those alone. `{"All": false}` is about destinations.
    """
    rule = (body.get("integrations") or {}).get("Warehouses")
    if isinstance(rule, dict):
        if "warehouseIds" in rule:
            return warehouse_id in (rule["warehouseIds"] or ())
        return rule.get("all") is not False
    return rule is not False
