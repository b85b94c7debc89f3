"""A user's API activity over a window of time, in numbers.

The field names on the wire are those of docs/reference/traits.md (camelCase).
"""

import msgspec


class _Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=False):
    pass


class LatencyMs(_Wire, frozen=True):
    """Quantiles and mean of the duration, in milliseconds, one decimal."""

    p50: float
    p90: float
    p99: float
    mean: float


class EndpointCount(_Wire, frozen=True):
    """One of the most used endpoints."""

    verb: str
    route: str
    calls: int
    errors: int
    p90_ms: float


class ErrorCount(_Wire, frozen=True):
    """One of the most frequent failures."""

    verb: str
    route: str
    status: int
    calls: int


class ClientCount(_Wire, frozen=True):
    """One of the most used client libraries."""

    name: str
    version: str
    calls: int


class Rollup(_Wire, frozen=True):
    """`dailyAggregation` (with `date`) or `last24HourAggResults` (with `from` and `to`)."""

    date: str | msgspec.UnsetType = msgspec.UNSET
    """The day in the app's time zone, `2026-11-22`."""
    from_: str | msgspec.UnsetType = msgspec.field(name="from", default=msgspec.UNSET)
    to: str | msgspec.UnsetType = msgspec.UNSET
    total_calls: int = 0
    successful_calls: int = 0
    """Status 2xx or 3xx."""
    client_errors: int = 0
    server_errors: int = 0
    error_rate: float = 0.0
    """(client errors + server errors) / total, four decimals."""
    blocked_calls: int = 0
    latency_ms: LatencyMs = LatencyMs(p50=0.0, p90=0.0, p99=0.0, mean=0.0)
    request_bytes: int = 0
    response_bytes: int = 0
    active_hours: int = 0
    distinct_endpoints: int = 0
    top_endpoints: tuple[EndpointCount, ...] = ()
    top_errors: tuple[ErrorCount, ...] = ()
    clients: tuple[ClientCount, ...] = ()
    first_call_at: str | None = None
    last_call_at: str | None = None
    calls_previous7_days: int = 0
    calls_trend7_days: float | None = None
    """Calls of the 7 days up to this window / calls of the 7 days before; None: none before."""
    days_active_last28: int = 0
    sampled: bool | msgspec.UnsetType = msgspec.UNSET
    """True when any counted call stood for more than one."""
