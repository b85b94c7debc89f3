"""Lay calls and rejects out as columns.

In: calls with their log offsets. Out: Arrow tables with the columns of `landing` and `rejects`.
Numbers beyond a column's range are cut to it: one absurd number must not cost a call. Pure.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from headwater.ingest.batch import At
from headwater.model import ApiCall, Reject

_MAX_BYTES = 2**53
_MAX_WEIGHT = 1_000_000
_MAX_STATUS = 65_535
_MAX_MS = 1e12

_TEXT = (
    *("app_id", "call_id", "user_id", "company_id", "anonymous_id", "session_key", "verb"),
    *("route", "uri", "host", "direction", "client_kind", "client_name", "client_version", "sdk"),
    *("country", "ip_address", "action_name", "blocked_by", "api_version", "trace_id"),
    *("request_encoding", "response_encoding"),
)
_RAW = ("request_body", "response_body", "metadata", "extra")
_MICROSECONDS = pa.timestamp("us", tz="UTC")
_MILLISECONDS = pa.timestamp("ms", tz="UTC")

_encode = msgspec.json.Encoder().encode


def _clamp(value: int, low: int, high: int) -> int:
    return low if value < low else min(value, high)


_COMPUTED: dict[str, tuple[pa.DataType, Callable[[ApiCall], Any]]] = {
    "time": (_MICROSECONDS, lambda c: c.time),
    "received_at": (_MILLISECONDS, lambda c: c.received_at),
    "status": (pa.uint16(), lambda c: _clamp(c.status, 0, _MAX_STATUS)),
    "weight": (pa.uint32(), lambda c: _clamp(c.weight, 1, _MAX_WEIGHT)),
    "duration_ms": (pa.float64(), lambda c: min(max(c.duration_ms, 0.0), _MAX_MS)),
    "request_bytes": (pa.uint64(), lambda c: _clamp(c.request_bytes, 0, _MAX_BYTES)),
    "response_bytes": (pa.uint64(), lambda c: _clamp(c.response_bytes, 0, _MAX_BYTES)),
    "flags": (pa.list_(pa.string()), lambda c: c.flags),
    "user_agent": (pa.string(), lambda c: c.request_headers.get("user-agent", "")),
    "request_headers": (pa.string(), lambda c: _encode(c.request_headers)),
    "response_headers": (pa.string(), lambda c: _encode(c.response_headers)),
}


def to_call_rows(calls: Sequence[At]) -> pa.Table:
    """Return the rows for `landing`."""
    columns = {
        name: pa.array([getattr(call, name) for _, call in calls], pa.string()) for name in _TEXT
    }
    for name in _RAW:
        columns[name] = pa.array([bytes(getattr(call, name)) for _, call in calls], pa.string())
    for name, (kind, value) in _COMPUTED.items():
        columns[name] = pa.array([value(call) for _, call in calls], kind)
    columns["log_offset"] = pa.array([offset for offset, _ in calls], pa.uint64())
    return pa.table(columns)


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
