"""Make each call ready for the store, in small named steps.

In: calls as the collector accepted them. Out: calls with a storable time, host, route and client,
or drops with their reason. Pure, so that a range of the log that is worked on twice gives the same
rows.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from headwater.base.telemetry import CALLS_DROPPED, INGEST_STEP_SECONDS
from headwater.ingest.batch import At
from headwater.ingest.clients import recognise_client
from headwater.ingest.drops import Dropped
from headwater.ingest.guard import Guards
from headwater.ingest.routes import split_uri, to_route
from headwater.model import ApiCall

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST_AHEAD = timedelta(days=1)
_CLOCK_SKEW = timedelta(minutes=1)


class Step(NamedTuple):
    """One thing done to every call."""

    name: str
    apply: Callable[[ApiCall], ApiCall | Dropped]


def make_steps(guards: Guards, *, late_after_s: int) -> tuple[Step, ...]:
    """Return the whole pipeline."""
    return (
        Step("put_time", put_time),
        Step("flag_late", partial(flag_late, after=timedelta(seconds=late_after_s))),
        Step("put_route", put_route),
        Step("put_client", put_client),
        Step("limit_variety", guards.limit_variety),
    )


def put_time(call: ApiCall) -> ApiCall:
    """A time that cannot be true gives way to the arrival: hostile times make no partitions."""
    ahead = call.time - call.received_at
    if ahead > _LATEST_AHEAD:
        return _flag(replace(call, time=call.received_at), "future", "time_out_of_range")
    if call.time < _EARLIEST:
        return _flag(replace(call, time=call.received_at), "time_out_of_range")
    return _flag(call, "future") if ahead > _CLOCK_SKEW else call


def flag_late(call: ApiCall, *, after: timedelta) -> ApiCall:
    """A call that arrives long after it was made changes charts that people have seen.

    History that is loaded on purpose is no surprise to anybody.
    """
    is_late = call.received_at - call.time > after and "backfill" not in call.flags
    return _flag(call, "late") if is_late else call


def put_route(call: ApiCall) -> ApiCall:
    """Calls of one endpoint count together, whatever ids their paths carry."""
    host, path = split_uri(call.uri)
    return replace(
        call, host=host or call.request_headers.get("host", "").lower(), route=to_route(path)
    )


def put_client(call: ApiCall) -> ApiCall:
    """Which library and version made the call."""
    client = recognise_client(call.request_headers.get("user-agent", ""))
    return replace(
        call, client_name=client.name, client_version=client.version, client_kind=client.kind
    )


def _flag(call: ApiCall, *flags: str) -> ApiCall:
    new = tuple(flag for flag in flags if flag not in call.flags)
    return replace(call, flags=call.flags + new) if new else call


def run_steps(calls: Sequence[At], steps: Sequence[Step]) -> list[At]:
    """Return the calls that are left, after counting drops by reason and time by step."""
    left = list(calls)
    for step in steps:
        with INGEST_STEP_SECONDS.labels(step=step.name).time():
            results = [(offset, step.apply(call)) for offset, call in left]
        left = [(offset, call) for offset, call in results if not isinstance(call, Dropped)]
        for _, call in results:
            if isinstance(call, Dropped):
                CALLS_DROPPED.labels(reason=call.reason).inc()
    return left
