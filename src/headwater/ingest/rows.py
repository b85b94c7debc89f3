"""Lay calls and rejects out as rows.

In: calls with what the steps added; rejects with their log offsets. Out: JSON lines for `landing`,
which the engine reads itself; an Arrow table for `rejects`. Pure.
"""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from headwater.ingest.heads import Call, parts_of_line
from headwater.model import Reject

_MILLISECONDS = pa.timestamp("ms", tz="UTC")


def to_call_lines(calls: Iterable[Call]) -> bytes:
    """Return the rows for `landing`, one JSON object a line."""
    parts = [part for call in calls for part in (b"\n", *parts_of_line(call))]
    return b"".join(parts[1:])


def to_reject_rows(rejects: Sequence[tuple[int, Reject]]) -> pa.Table:
    """Return the rows for `rejects`."""
    fields = ("app_id", "reject_id", "kind", "reason", "field", "sample")
    columns = {
        name: pa.array([getattr(reject, name) for _, reject in rejects], pa.string())
        for name in fields
    }
    columns["received_at"] = pa.array([r.received_at for _, r in rejects], _MILLISECONDS)
    columns["log_offset"] = pa.array([offset for offset, _ in rejects], pa.uint64())
    return pa.table(columns)
