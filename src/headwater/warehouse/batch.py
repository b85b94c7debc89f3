"""Take a batch of messages from the log and sort it by source.

In: log entries. Out: rows of each source that a warehouse wants. A record that cannot be read is
counted and passed: one bad record never stops a warehouse.
"""

from collections import Counter
from collections.abc import Sequence
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


def sort_by_source(
    entries: Sequence[Entry],
    warehouse_id: str,
    source_id: str | None,
    loaded_at: datetime,
    identifier_bytes: int = 127,
) -> tuple[dict[str, Rows], Counter[Notice]]:
    """Return the rows of each source, and notices of what has no row."""
    sources: dict[str, Rows] = {}
    notices: Counter[Notice] = Counter()
    for record in (record for entry in entries for record in split_records(entry.data)):
        try:
            message = _decoder.decode(record)
        except msgspec.MsgspecError:
            notices[Notice("unreadable")] += 1
            continue
        if source_id in {None, message.source_id} and is_wanted(message.body, warehouse_id):
            mine = sources.get(message.source_id)
            if mine is None:
                mine = sources[message.source_id] = Rows(loaded_at, identifier_bytes)
            mine.add(message)
    return sources, notices


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
