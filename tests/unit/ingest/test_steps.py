"""Each step does one thing to a call, and the same thing every time."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import SystemClock
from headwater.base.telemetry import CALLS_DROPPED
from headwater.ingest.countries import Countries
from headwater.ingest.drops import Dropped, DropReason
from headwater.ingest.guard import Guards
from headwater.ingest.heads import Call
from headwater.ingest.rows import to_call_lines
from headwater.ingest.steps import (
    Step,
    check_time,
    make_steps,
    put_client,
    put_route,
    run_steps,
)
from tests.support.calls import NOON, in_hand, make_call, make_calls


def _guards(limit: int = 100) -> Guards:
    return Guards(max_routes=limit, max_clients=limit)


def _call(**changes: Any) -> Call:
    return in_hand(make_call(**changes))[0]


def _row(call: Call) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.json.decode(to_call_lines([call]))
    return row


_check = partial(check_time, late_after=timedelta(seconds=300))


def _checked(**changes: Any) -> Call:
    call = _call(**changes)
    _check(call)
    return call


def _time(call: Call) -> datetime:
    return datetime.fromisoformat(_row(call)["time"])


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_time_leaves_the_years_that_can_be_stored(time: datetime) -> None:
    """Whatever a client claims, the stored time lies between 2000 and a day after the arrival."""
    call = _checked(time=time)
    assert datetime(2000, 1, 1, tzinfo=UTC) <= _time(call) <= NOON + timedelta(days=1)
    assert ("time_out_of_range" in call.flags) == (_time(call) != time)


def test_a_call_from_the_future_is_flagged() -> None:
    """A clock that is ahead by an hour is believed and flagged; by two days it is not believed."""
    soon = _checked(time=NOON + timedelta(hours=1))
    assert (_time(soon), soon.flags) == (NOON + timedelta(hours=1), ("future",))
    later = _checked(time=NOON + timedelta(days=2))
    assert (_time(later), later.flags) == (NOON, ("future", "time_out_of_range"))


@pytest.mark.parametrize(("age_s", "flags"), [(0, ()), (300, ()), (301, ("late",))])
def test_a_late_call_is_flagged(age_s: int, flags: tuple[str, ...]) -> None:
    """Late means: more than the set time after it was made."""
    assert _checked(time=NOON - timedelta(seconds=age_s)).flags == flags


def test_a_flag_is_put_once() -> None:
    """A flag of the collector is not repeated."""
    call = _checked(time=NOON - timedelta(hours=1), flags=("late", "truncated"))
    assert call.flags == ("late", "truncated")
    assert _row(call)["flags"] == ["late", "truncated"]


def test_history_that_is_loaded_on_purpose_is_not_late() -> None:
    """An import of last year's access logs surprises nobody."""
    assert _checked(time=NOON - timedelta(days=300), flags=("backfill",)).flags == ("backfill",)


def test_route_and_host_come_from_the_uri() -> None:
    """The Host header stands in where the URI has none."""
    call, bare = _call(), _call(uri="/items/7", request_headers={"host": "API.example.org"})
    # What a parameter holds is no host of the request's own.
    linked = _call(uri="/items/7?to=http://else.example", request_headers={"host": "a.example"})
    for one in (call, bare, linked):
        put_route(one)
    assert (linked.added.host, linked.added.route) == ("a.example", "/items/:id")
    assert (call.added.host, call.added.route) == ("api.example.com", "/items/:id")
    assert (bare.added.host, bare.added.route) == ("api.example.org", "/items/:id")


def test_a_route_that_the_client_knows_stays() -> None:
    """Instrumentation that sees the framework's own template knows better than we guess."""
    call = _call(route="/items/{item}")
    put_route(call)
    assert _row(call)["route"] == "/items/{item}"


def test_the_client_comes_from_the_user_agent() -> None:
    """Name, version and kind are put, and the header itself."""
    call = _call()
    put_client(call)
    added = call.added
    assert (added.client_name, added.client_version) == ("stripe-python", "5.0.1")
    assert (added.client_kind, _row(call)["user_agent"]) == ("sdk", "stripe-python/5.0.1")


@pytest.mark.parametrize("header", ["mcp-protocol-version", "mcp-session-id"])
def test_a_header_of_the_model_context_protocol_makes_a_library_an_agent(header: str) -> None:
    """Agents leave the User-Agent to their HTTP library; the library's name is kept."""
    call = _call(request_headers={"user-agent": "python-httpx/0.28.1", header: "2025-06-18"})
    put_client(call)
    assert (call.added.client_kind, call.added.client_name) == ("agent", "python-httpx")


def test_an_app_has_only_so_many_routes() -> None:
    """What comes after the limit is stored as /other; what was admitted stays; apps are apart."""
    guards = _guards(limit=2)

    def route(path: str, app_id: str = "app_1") -> str:
        call = _call(app_id=app_id)
        call.added.route = path
        guards.limit_variety(call)
        return call.added.route

    assert [route(p) for p in ("/a", "/b", "/c", "/a")] == ["/a", "/b", "/other", "/a"]
    assert route("/c", app_id="app_2") == "/c"
    known = _call(route="/d")
    guards.limit_variety(known)
    assert _row(known)["route"] == "/other"


def test_an_app_has_only_so_many_client_names() -> None:
    """A made-up User-Agent for each call must not blow up the counters."""
    guards = _guards(limit=1)

    def name(agent: str) -> str:
        call = _call()
        call.added.client_name = agent
        guards.limit_variety(call)
        return call.added.client_name

    assert [name(agent) for agent in ("curl", "made-up", "curl")] == ["curl", "other", "curl"]


def test_steps_run_in_order_over_every_call() -> None:
    """No call is lost on the way, and a second run changes nothing."""
    steps = make_steps(_guards(), Countries("", SystemClock()), late_after_s=300)
    done = run_steps(in_hand(*make_calls(3)), steps)
    assert [call.head.call_id for call in done] == ["call_0", "call_1", "call_2"]
    assert {call.added.route for call in done} == {"/items/:id"}
    rows = to_call_lines(done)
    assert to_call_lines(run_steps(done, steps)) == rows


def test_a_dropped_call_is_counted_and_goes_no_further() -> None:
    """Drops are data: counted by reason, unseen by later steps."""
    counter = CALLS_DROPPED.labels(reason=DropReason.DUPLICATE)
    before = counter._value.get()
    drop = Step("drop_all", lambda _: Dropped(DropReason.DUPLICATE))
    assert run_steps([_call()], (drop, Step("put_route", put_route))) == []
    assert counter._value.get() == before + 1
