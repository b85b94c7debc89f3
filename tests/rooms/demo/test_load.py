"""Sending the history and live traffic: whole, patient, and the same each time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from headwater.base.clock import SystemClock
from headwater.base.errors import UnavailableError
from headwater.demo import CollectorClient, Demo, LiveTraffic, load_history
from tests.support.webhook import RESET, Answer, Received, Receiver, run_receiver

END = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)


@pytest.fixture
async def collector() -> AsyncIterator[Receiver]:
    """Something that takes batches, unless a test plans otherwise."""
    async with run_receiver() as receiver:
        receiver.always = Answer(status=201)
        yield receiver


@pytest.fixture
async def client(collector: Receiver) -> AsyncIterator[CollectorClient]:
    async with aiohttp.ClientSession() as session:
        yield CollectorClient(session, collector.url, "the-application-id")


@pytest.fixture
def demo() -> Demo:
    return Demo(seed=1, end=END, users=60, days=20)


def _items(request: Received) -> list[dict[str, Any]]:
    assert request.headers["content-encoding"] == "gzip"  # the receiver unpacks it
    items: list[dict[str, Any]] = msgspec.json.decode(request.body)
    return items


def _by_id(calls: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {call["transaction_id"]: call for call in calls}


def _calls(collector: Receiver) -> list[dict[str, Any]]:
    return [
        item
        for one in collector.received
        if one.path.startswith("/v1/events")
        for item in _items(one)
    ]


async def test_everything_is_sent_the_newest_days_first(
    demo: Demo, collector: Receiver, client: CollectorClient
) -> None:
    """Companies and users, then each day; marked as history, with the application id."""
    told: list[tuple[date, int]] = []

    loaded = await load_history(demo, client, lambda day, calls: told.append((day, calls)))

    calls = _calls(collector)
    paths = [request.path for request in collector.received]
    assert paths[:2] == ["/v1/companies/batch", "/v1/users/batch"]
    assert (loaded.calls, loaded.users, loaded.companies) == (len(calls), 60, 12)
    assert [day for day, _ in told] == demo.days
    assert sum(count for _, count in told) == loaded.calls
    assert _by_id(calls) == _by_id(call for day in demo.days for call in demo.calls_of(day))
    for request in collector.received:
        assert request.headers["x-moesif-application-id"] == "the-application-id"
        assert request.headers["x-headwater-backfill"] == "1"


async def test_a_busy_server_is_waited_for(
    demo: Demo, collector: Receiver, client: CollectorClient
) -> None:
    """503, 429 and a broken connection cost time, not calls."""
    collector.plan(503, 429, RESET)

    loaded = await load_history(demo, client, lambda *_: None)

    tries = [request.body for request in collector.received]
    assert len(tries) == len(set(tries)) + 3
    assert len(_by_id(_calls(collector))) == loaded.calls


async def test_a_server_that_refuses_is_not_asked_again(
    demo: Demo, collector: Receiver, client: CollectorClient
) -> None:
    """A wrong application id will not become right."""
    collector.always = Answer(status=401)

    with pytest.raises(UnavailableError, match="401"):
        await load_history(demo, client, lambda *_: None)

    assert len(collector.received) == 1


async def test_a_second_load_sends_the_same_calls(
    demo: Demo, collector: Receiver, client: CollectorClient
) -> None:
    """Ids and all, so that the collector's de-duplication sees repeats."""
    await load_history(demo, client, lambda *_: None)
    first = _by_id(_calls(collector))
    collector.received.clear()

    await load_history(Demo(seed=1, end=END, users=60, days=20), client, lambda *_: None)

    assert _by_id(_calls(collector)) == first


async def test_live_traffic_flows_until_it_is_stopped(
    demo: Demo, collector: Receiver, client: CollectorClient
) -> None:
    """Calls of the present by users of the history, over an outage of the server."""
    collector.plan(503)
    traffic = LiveTraffic(demo, client, SystemClock(), calls_per_s=20, tick_s=0.05)
    running = asyncio.create_task(traffic.run())

    await collector.wait_for(4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    calls = _calls(collector)
    known = {user.id for user in demo.users}
    age_s = (
        datetime.now(UTC) - datetime.fromisoformat(calls[0]["request"]["time"])
    ).total_seconds()
    assert {call["user_id"] for call in calls} <= known
    assert 0 <= age_s < 60
    assert traffic.sent > 0
