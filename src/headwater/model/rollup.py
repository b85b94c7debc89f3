"""A user's API activity over a window of time, in numbers.

The field names on the wire are those of docs/reference/traits.md (camelCase). What does not apply
is left out on the wire, never null: a rollup is encoded as it is.
"""

import msgspec


class _Wire(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False
):
    """Held by the ten thousand: nothing here can form a cycle, so no collector need look at it."""


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


class Rollup(_Wire, frozen=True, kw_only=True):
    """`dailyAggregation` (with `date`) or `last24HourAggResults` (with `from` and `to`)."""

    date: str | None = None
    """The day in the app's time zone, `2026-11-22`."""
    from_: str | None = msgspec.field(name="from", default=None)
    to: str | None = None
    total_calls: int
    successful_calls: int
    """Status 2xx or 3xx."""
    client_errors: int
    server_errors: int
    error_rate: float
    """(client errors + server errors) / total, four decimals."""
    blocked_calls: int
    latency_ms: LatencyMs
    request_bytes: int
    response_bytes: int
    active_hours: int
    distinct_endpoints: int
    top_endpoints: tuple[EndpointCount, ...]
    top_errors: tuple[ErrorCount, ...]
    clients: tuple[ClientCount, ...]
    first_call_at: str | None = None
    last_call_at: str | None = None
    calls_previous7_days: int
    calls_trend7_days: float | None = None
    """Calls of the 7 days up to this window / calls of the 7 days before; None: none before."""
    days_active_last28: int
    sampled: bool | None = None
    """True when any counted call stood for more than one."""
