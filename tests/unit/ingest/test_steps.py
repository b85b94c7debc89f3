"""Each step does one thing to a call, and the same thing every time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.telemetry import CALLS_DROPPED
from headwater.ingest.drops import Dropped, DropReason
from headwater.ingest.guard import Guards
from headwater.ingest.steps import (
    Step,
    flag_late,
    make_steps,
    put_client,
    put_route,
    put_time,
    run_steps,
)
from tests.support.calls import NOON, make_call, make_calls


def _guards(limit: int = 100) -> Guards:
    return Guards(max_routes=limit, max_clients=limit)


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_time_leaves_the_years_that_can_be_stored(time: datetime) -> None:
    """Whatever a client claims, the stored time lies between 2000 and a day after the arrival."""
    call = put_time(make_call(time=time))
    assert datetime(2000, 1, 1, tzinfo=UTC) <= call.time <= NOON + timedelta(days=1)
    assert ("time_out_of_range" in call.flags) == (call.time != time)


def test_a_call_from_the_future_is_flagged() -> None:
    """A clock that is ahead by an hour is believed and flagged; by two days it is not believed."""
    soon = put_time(make_call(time=NOON + timedelta(hours=1)))
    assert (soon.time, soon.flags) == (NOON + timedelta(hours=1), ("future",))
    later = put_time(make_call(time=NOON + timedelta(days=2)))
    assert (later.time, later.flags) == (NOON, ("future", "time_out_of_range"))


@pytest.mark.parametrize(("age_s", "flags"), [(0, ()), (300, ()), (301, ("late",))])
def test_a_late_call_is_flagged(age_s: int, flags: tuple[str, ...]) -> None:
    """Late means: more than the set time after it was made."""
    call = make_call(time=NOON - timedelta(seconds=age_s))
    assert flag_late(call, after=timedelta(seconds=300)).flags == flags


def test_a_flag_is_put_once() -> None:
    """A flag of the collector is not repeated."""
    call = make_call(time=NOON - timedelta(hours=1), flags=("late", "truncated"))
    assert flag_late(call, after=timedelta(seconds=300)).flags == ("late", "truncated")


def test_route_and_host_come_from_the_uri() -> None:
    """The Host header stands in where the URI has none."""
    call = put_route(make_call())
    assert (call.host, call.route) == ("api.example.com", "/items/:id")
    bare = put_route(make_call(uri="/items/7", request_headers={"host": "API.example.org"}))
    assert (bare.host, bare.route) == ("api.example.org", "/items/:id")


def test_the_client_comes_from_the_user_agent() -> None:
    """Name, version and kind are put."""
    call = put_client(make_call())
    assert (call.client_name, call.client_version) == ("stripe-python", "5.0.1")
    assert call.client_kind == "sdk"


def test_an_app_has_only_so_many_routes() -> None:
    """What comes after the limit is stored as /other; what was admitted stays; apps are apart."""
    guards = _guards(limit=2)

    def route(path: str, app_id: str = "app_1") -> str:
        return guards.limit_variety(make_call(app_id=app_id, route=path)).route

    assert [route(p) for p in ("/a", "/b", "/c", "/a")] == ["/a", "/b", "/other", "/a"]
    assert route("/c", app_id="app_2") == "/c"


def test_an_app_has_only_so_many_client_names() -> None:
    """A made-up User-Agent for each call must not blow up the counters."""
    guards = _guards(limit=1)
    names = [
        guards.limit_variety(make_call(client_name=name, client_version="1")).client_name
        for name in ("curl", "made-up", "curl")
    ]
    assert names == ["curl", "other", "curl"]


def test_steps_run_in_order_over_every_call() -> None:
    """Offsets stay with their calls."""
    steps = make_steps(_guards(), late_after_s=300)
    calls = list(enumerate(make_calls(3), start=5))
    done = run_steps(calls, steps)
    assert [(offset, call.call_id) for offset, call in done] == [
        (5, "call_0"), (6, "call_1"), (7, "call_2"),
    ]  # fmt: skip
    assert {call.route for _, call in done} == {"/items/:id"}
    assert run_steps(calls, steps) == done


def test_a_dropped_call_is_counted_and_goes_no_further() -> None:
    """Drops are data: counted by reason, unseen by later steps."""
    counter = CALLS_DROPPED.labels(reason=DropReason.DUPLICATE)
    before = counter._value.get()
    drop = Step("drop_all", lambda _: Dropped(DropReason.DUPLICATE))
    assert run_steps([(1, make_call())], (drop, Step("put_route", put_route))) == []
    assert counter._value.get() == before + 1
