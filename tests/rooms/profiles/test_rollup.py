"""A rollup equals a straight recount of the raw calls, bit for bit, in any zone, on any day."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from headwater.eventstore import EventStore
from headwater.profiles import Profiles, day_window
from tests.rooms.profiles.history import Call, insert_calls
from tests.rooms.profiles.recount import recount

DAYS = [
    ("UTC", "2026-11-22"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Asia/Kathmandu", "2026-11-22"),
    ("America/St_Johns", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("America/Havana", "2026-11-01"),
]
ROUTES = [f"/items/{n}" for n in range(8)] + ["/orders", "/naïve/:id", "/日本"]


def random_history(chance: random.Random, app_id: str, end: datetime, users: int) -> list[Call]:
    """Calls of about 40 days, thick near the window's ends, with every kind of row."""
    edges = [end - timedelta(days=days) for days in (0, 1, 7, 14, 27, 28)]
    return [
        Call(
            app_id=app_id,
            user_id=f"user {chance.randrange(users)}",
            time=_some_moment(chance, end, edges),
            verb=chance.choice(["GET", "POST"]),
            route=chance.choice(ROUTES),
            status=chance.choice([0, 200, 201, 302, 404, 429, 500, 503]),
            duration_ms=chance.choice([0.0, 0.05, 0.25, 12.5, chance.random() * 900]),
            weight=chance.choice([1, 1, 1, 10]) if users > 2 else 1,
            blocked_by=chance.choice(["", "", "rule"]),
            client_name=chance.choice(["", "curl", "python"]),
            client_version=chance.choice(["1", "2", "3"]),
            request_bytes=chance.randrange(5_000),
            response_bytes=chance.choice([0, 2**53]),
        )
        for _ in range(600)
    ]


def _some_moment(chance: random.Random, end: datetime, edges: list[datetime]) -> datetime:
    match chance.randrange(3):
        case 0:
            return end - timedelta(seconds=chance.random() * 86_400)
        case 1:
            return end - timedelta(seconds=chance.random() * 40 * 86_400)
        case _:
            near = timedelta(microseconds=chance.choice([-1, 0, 1, 3_600_000_000]))
            return chance.choice(edges) + near


async def assert_equal_to_recount(
    profiles: Profiles, calls: list[Call], timezone: str, window: tuple[datetime, datetime, Any]
) -> None:
    start, end, day = window
    users = sorted({call.user_id for call in calls} | {"nobody"})
    answer = await profiles.rollups(calls[0].app_id, timezone, users, start, end, day=day)
    for user in users:
        own = [call for call in calls if call.user_id == user]
        expected = recount(own, timezone, start, end, day)
        assert msgspec.json.decode(msgspec.json.encode(answer[user])) == expected, user


@pytest.mark.parametrize(("timezone", "day"), DAYS)
@pytest.mark.parametrize("users", [2, 6])
async def test_a_day_equals_its_recount(
    store: EventStore, profiles: Profiles, app_id: str, timezone: str, day: str, users: int
) -> None:
    """Days of 23, 24, 24.5 and 25 hours, zones of 30 and 45 minutes."""
    start, end = day_window(timezone, day)
    calls = random_history(random.Random(f"{timezone} {day}"), app_id, end, users)
    await insert_calls(store, calls)
    await assert_equal_to_recount(profiles, calls, timezone, (start, end, day))


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
async def test_a_rolling_day_equals_its_recount(
    store: EventStore, profiles: Profiles, app_id: str, timezone: str
) -> None:
    """The last 24 hours end at any microsecond, over a change of the clocks too."""
    end = datetime(2026, 10, 25, 13, 37, 11, 123_456, tzinfo=UTC)
    calls = random_history(random.Random(timezone), app_id, end, 4)
    await insert_calls(store, calls)
    window = (end - timedelta(days=1), end, None)
    await assert_equal_to_recount(profiles, calls, timezone, window)


async def test_other_apps_are_never_counted(store: EventStore, profiles: Profiles) -> None:
    """The same user id in two apps is two people."""
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    await insert_calls(store, [Call(time=at, app_id="one"), Call(time=at, app_id="two")])
    start, end = day_window("UTC", "2026-11-22")
    rollup = (await profiles.rollups("one", "UTC", ["ann"], start, end, day="2026-11-22"))["ann"]
    assert rollup.total_calls == 1


async def test_absurd_numbers_do_not_wrap(
    store: EventStore, profiles: Profiles, app_id: str
) -> None:
    """The greatest bytes and durations that ingest lets in, times the greatest weight."""
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    call = Call(time=at, app_id=app_id, weight=1_000_000, response_bytes=2**53, duration_ms=1e12)
    await insert_calls(store, [call, call])
    start, end = day_window("UTC", "2026-11-22")
    await assert_equal_to_recount(profiles, [call, call], "UTC", (start, end, "2026-11-22"))
