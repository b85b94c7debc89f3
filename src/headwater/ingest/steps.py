"""Make each call ready for the store, in small named steps.

In: calls as the collector accepted them. Out: the same calls with a storable time, host, route and
client, or drops with their reason. Pure, so that a range of the log that is worked on twice gives
the same rows.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from headwater.base.telemetry import CALLS_DROPPED, INGEST_STEP_SECONDS
from headwater.ingest.clients import recognise_client
from headwater.ingest.countries import Countries
from headwater.ingest.drops import Dropped
from headwater.ingest.guard import Guards
from headwater.ingest.heads import Call
from headwater.ingest.routes import split_uri, to_route

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST_AHEAD = timedelta(days=1)
_CLOCK_SKEW = timedelta(minutes=1)


class Step(NamedTuple):
    """One thing done to every call."""

    name: str
    apply: Callable[[Call], Dropped | None]


def make_steps(guards: Guards, countries: Countries, *, late_after_s: int) -> tuple[Step, ...]:
    """Return the whole pipeline."""
    return (
        Step("check_time", partial(check_time, late_after=timedelta(seconds=late_after_s))),
        Step("put_route", put_route),
        Step("put_client", put_client),
        Step("put_country", partial(put_country, countries=countries)),
        Step("limit_variety", guards.limit_variety),
    )


def check_time(call: Call, *, late_after: timedelta) -> None:
    """A time that cannot be true gives way to the arrival: hostile times make no partitions.

    A call that arrives long after it was made changes charts that people have seen, and is flagged;
    history that is loaded on purpose is no surprise to anybody.
    """
    head = call.head
    age = head.received_at - head.time
    if -_CLOCK_SKEW <= age <= late_after:
        return
    is_ahead = age < -_CLOCK_SKEW
    if age < -_LATEST_AHEAD or head.time < _EARLIEST:
        call.put("time", head.received_at)
        call.flag(*(("future",) if is_ahead else ()), "time_out_of_range")
    elif is_ahead:
        call.flag("future")
    elif "backfill" not in head.flags:
        call.flag("late")


def put_route(call: Call) -> None:
    """Calls of one endpoint count together, whatever ids their paths carry."""
    head = call.head
    host, path = split_uri(head.uri)
    if not head.host:
        named = head.host_header or head.request_headers.host
        call.added.host = host or named.lower()
    if not head.route:
        call.added.route = to_route(path)


def put_client(call: Call) -> None:
    """Which library and version made the call."""
    head, added = call.head, call.added
    agent = head.user_agent
    if not agent:
        agent = added.user_agent = head.request_headers.user_agent
    speaks_mcp = head.speaks_mcp or head.request_headers.speaks_mcp
    client = recognise_client(agent, speaks_mcp=speaks_mcp)
    added.client_name, added.client_version, added.client_kind = client


def put_country(call: Call, *, countries: Countries) -> None:
    """Where the call came from, if the operator has a file of countries."""
    if not call.head.country:
        call.added.country = countries.country_of(call.head.ip_address)


def run_steps(calls: Sequence[Call], steps: Sequence[Step]) -> list[Call]:
    """Return the calls that are left, after counting drops by reason and time by step."""
    left = list(calls)
    for step in steps:
        with INGEST_STEP_SECONDS.labels(step=step.name).time():
            dropped = {at: drop for at, call in enumerate(left) if (drop := step.apply(call))}
        for drop in dropped.values():
            CALLS_DROPPED.labels(reason=drop.reason).inc()
        if dropped:
            left = [call for at, call in enumerate(left) if at not in dropped]
    return left
