"""Read the records of a range of log entries.

In: entries. Out: calls, actions, profile updates, rulings and rejects, with the offset of the
entry; a line that cannot be decoded becomes a reject that holds the whole line. Pure.
"""

from collections.abc import Iterable

import msgspec
import pyarrow as pa

from headwater.base.ids import stable_id
from headwater.eventlog import Entry
from headwater.ingest.actions import ActionHead
from headwater.ingest.heads import Added, Call, CallHead
from headwater.model import HEAD_ENDS, CallTable, LinkRuling, ProfileUpdate, Reject

_Record = CallHead | CallTable | ActionHead | ProfileUpdate | LinkRuling | Reject


class Batch(msgspec.Struct):
    """What a range of entries holds, in order."""

    calls: list[Call] = []
    tables: list[tuple[int, CallTable]] = []
    rows: pa.Table | None = None
    """Of the tables, when all steps are done."""
    actions: list[Call] = []
    updates: list[tuple[int, ProfileUpdate]] = []
    rulings: list[LinkRuling] = []
    rejects: list[tuple[int, Reject]] = []


_CALL = b'{"t":"call",'
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decoder: msgspec.json.Decoder[_Record] = msgspec.json.Decoder(_Record)


def decode_entries(entries: Iterable[Entry]) -> Batch:
    """Return the records of `entries`."""
    batch = Batch()
    for entry in entries:
        # Lines are looked at where they lie: copies of them cost as much as reading their heads.
        data, view, start, number = entry.data, memoryview(entry.data), 0, 0
        while start < len(data):
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            _put(batch, entry, number, view[start:end], _head(data, start, end))
            start, number = end + 1, number + 1
    return batch


def _head(data: bytes, start: int, end: int) -> bytes:
    """Return a call's head as JSON, if its record ends it; else nothing."""
    ends = data.find(HEAD_ENDS, start, end) if data.startswith(_CALL, start) else -1
    return b"%b}" % data[start:ends] if ends > 0 else b""


def _put(batch: Batch, entry: Entry, number: int, line: memoryview, head: bytes) -> None:
    try:
        record = _decoder.decode(head or line)
    except _UNREADABLE:
        record = _read_whole(entry, number, line)
    match record:
        case ActionHead():
            batch.actions.append(Call(entry.offset, line, record, Added(entry.offset)))
        case CallHead():
            batch.calls.append(Call(entry.offset, line, record, Added(entry.offset)))
        case CallTable():
            batch.tables.append((entry.offset, record))
        case ProfileUpdate():
            batch.updates.append((entry.offset, record))
        case LinkRuling():
            batch.rulings.append(record)
        case Reject():
            batch.rejects.append((entry.offset, record))


def _read_whole(entry: Entry, number: int, line: memoryview) -> _Record:
    # A record of older versions may hold the mark in a body: cut there, it was no JSON.
    try:
        return _decoder.decode(line)
    except _UNREADABLE as err:
        return _reject_line(entry, number, line, err)


def _reject_line(entry: Entry, number: int, line: memoryview, err: Exception) -> Reject:
    return Reject(
        app_id="",
        reject_id=stable_id("line", str(entry.offset), str(number)),
        received_at=entry.appended_at,
        kind="record",
        reason=f"undecodable: {err}",
        sample=bytes(line).decode("utf-8", "replace"),
    )


def reject_call(call: Call, err: Exception) -> Reject:
    """Return the reject that stands for a call nothing could be done with; it holds all of it."""
    head = call.head
    return Reject(
        app_id=head.app_id,
        reject_id=stable_id("call", str(call.offset), head.app_id, head.call_id),
        received_at=head.received_at,
        kind="event",
        reason=f"not storable: {err}",
        sample=bytes(call.line).decode("utf-8", "replace"),
    )
