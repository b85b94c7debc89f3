"""A rollup equals a straight recount of the raw calls, bit for bit, in any zone, on any day."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headwater.eventstore import EventStore
from headwater.profiles import Profiles, day_window, last_complete_day
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
    ("Pacific/Apia", "2011-12-31"),  # the day before it never was
]
ZONES = sorted({zone for zone, _ in DAYS} | {"Pacific/Chatham", "Africa/Casablanca"})
_APPS = itertools.count(1)
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
    profiles: Profiles,
    app_id: str,
    calls: list[Call],
    timezone: str,
    window: tuple[datetime, datetime, str | None],
) -> None:
    start, end, day = window
    users = sorted({call.user_id for call in calls} | {"nobody"})
    answer = await profiles.rollups(app_id, timezone, users, start, end, day=day)
    assert sorted(answer) == users
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
    await assert_equal_to_recount(profiles, app_id, calls, timezone, (start, end, day))


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
async def test_a_rolling_day_equals_its_recount(
    store: EventStore, profiles: Profiles, app_id: str, timezone: str
) -> None:
    """The last 24 hours end at any microsecond, over a change of the clocks too."""
    end = datetime(2026, 10, 25, 13, 37, 11, 123_456, tzinfo=UTC)
    calls = random_history(random.Random(timezone), app_id, end, 4)
    await insert_calls(store, calls)
    window = (end - timedelta(days=1), end, None)
    await assert_equal_to_recount(profiles, app_id, calls, timezone, window)


# Few values each, so that they collide: ties in every list, the edges of every window.
_AGED = datetime(2026, 1, 1, tzinfo=UTC)  # the time of a call comes from its age
_OFFSETS_US = (0, 1, -1, 900_000_000, 899_999_999, 3_600_000_000, -3_600_000_001)
_ages = st.builds(
    lambda days, offset_us: timedelta(days=days, microseconds=offset_us),
    st.sampled_from([-29, -28, -27, -15, -14, -8, -7, -6, -2, -1, 0]),
    st.sampled_from(_OFFSETS_US) | st.integers(0, 86_400_000_000),
)
_calls = st.builds(
    Call,
    time=st.just(_AGED),
    user_id=st.sampled_from(["ann", "Zoë 'the \\ one'", "tab\tline\n", "日本 {ids:String}"]),
    verb=st.sampled_from(["GET", "POST", ""]),
    route=st.sampled_from(ROUTES),
    status=st.sampled_from([0, 200, 399, 400, 404, 499, 500, 599]),
    duration_ms=st.sampled_from([0.0, 0.0004, 0.05, 0.15, 0.25, 2.5, 33.35]) | st.floats(0, 1e6),
    weight=st.sampled_from([1, 1, 1, 2, 7, 1_000_000]),
    blocked_by=st.sampled_from(["", "rule"]),
    client_name=st.sampled_from(["", "curl", "python"]),
    client_version=st.sampled_from(["", "1", "10", "2"]),
    request_bytes=st.sampled_from([0, 1, 2**53]),
)
_histories = st.lists(st.tuples(_calls, _ages), max_size=40)


@given(
    history=_histories,
    timezone=st.sampled_from(ZONES),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - made UTC below
)
@example(history=[], timezone="UTC", at=datetime(2026, 11, 22))  # noqa: DTZ001
@example(
    history=[(Call(time=_AGED), timedelta(minutes=-minutes)) for minutes in (7, 22)],
    timezone="UTC",
    at=datetime(2026, 11, 22, 10, 7),  # noqa: DTZ001
)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_history_equals_its_recount(
    store: EventStore,
    profiles: Profiles,
    history: list[tuple[Call, timedelta]],
    timezone: str,
    at: datetime,
) -> None:
    """Both rollups, at any moment of a year, whatever the calls are."""
    app_id = f"any_{next(_APPS)}"
    now = at.replace(tzinfo=UTC)
    day = last_complete_day(now, timezone)
    start, end = day_window(timezone, day)
    calls = [
        msgspec.structs.replace(call, app_id=app_id, time=last + age)
        for call, age in history
        for last in (end, now)
    ]
    if calls:
        await insert_calls(store, calls)
    rolling = (now - timedelta(days=1), now, None)
    for window in ((start, end, day), rolling):
        await assert_equal_to_recount(profiles, app_id, calls, timezone, window)


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
    await assert_equal_to_recount(profiles, app_id, [call, call], "UTC", (start, end, "2026-11-22"))
