"""Make rollups for tests that do not count: everything zero, unless said."""

from typing import Any

from headwater.model import LatencyMs, Rollup


def make_rollup(**numbers: Any) -> Rollup:
    """Return the rollup of somebody who did nothing but `numbers`."""
    nothing: dict[str, Any] = {
        "total_calls": 0,
        "successful_calls": 0,
        "client_errors": 0,
        "server_errors": 0,
        "error_rate": 0.0,
        "blocked_calls": 0,
        "latency_ms": LatencyMs(p50=0.0, p90=0.0, p99=0.0, mean=0.0),
        "request_bytes": 0,
        "response_bytes": 0,
        "active_hours": 0,
        "distinct_endpoints": 0,
        "top_endpoints": (),
        "top_errors": (),
        "clients": (),
        "calls_previous7_days": 0,
        "days_active_last28": 0,
    }
    return Rollup(**{**nothing, **numbers})
