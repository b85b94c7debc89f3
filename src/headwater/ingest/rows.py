"""Lay calls and rejects out as rows.

In: calls with what the steps added; rejects with their log offsets. Out: JSON lines for `landing`,
which the engine reads itself; an Arrow table for `rejects`. Pure.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO

import pyarrow as pa

from headwater.ingest.heads import Call, parts_of_line
from headwater.model import Reject

_MILLISECONDS = pa.timestamp("ms", tz="UTC")


def to_call_lines(calls: Iterable[Call]) -> bytes:
    """Return the rows for `landing`, one JSON object a line."""
    # Piece by piece: one copy of all of them would hold up the event loop for as long as it takes.
    rows = BytesIO()
    for call in calls:
        rows.writelines((*parts_of_line(call), b"\n"))
    return rows.getvalue()


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
