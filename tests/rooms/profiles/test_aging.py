"""Who changed because time passed is found: all of them, and nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.base.clock import SetClock
from headwater.eventstore import EventStore
from headwater.model import LifecycleRule, ProfileRules
from headwater.profiles import CallsAndErrors, Profiles
from tests.rooms.profiles.history import Call, insert_calls

DAY = timedelta(days=1)
END = datetime(2026, 11, 22, tzinfo=UTC)
RULES = ProfileRules(lifecycle=LifecycleRule(new_days=2, dormant_days=5))
QUARTER = timedelta(minutes=15)
_apps = iter(range(1_000_000))


def profiles_at(store: EventStore, now: datetime) -> Profiles:
    async def rules_of(_app_id: str) -> ProfileRules:
        return RULES

    return Profiles(store, SetClock(now), rules_of)


async def lifecycles(store: EventStore, app_id: str, ids: list[str], at: datetime) -> list[str]:
    people = await profiles_at(store, at).people(app_id, ids)
    return [people[id_].lifecycle for id_ in ids]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.lists(st.integers(1, 90), min_size=1, max_size=5, unique=True), min_size=1, max_size=12
    ),
    st.integers(1, 3),
    st.integers(1, 4),
)
async def test_exactly_those_who_changed_are_due(
    store: EventStore, ago: list[list[int]], days: int, limit: int
) -> None:
    """Against the lifecycle of everybody at both ends; in pages of any size."""
    app_id, start = f"aging_{next(_apps)}", END - days * DAY
    ids = [f"u{n:02}" for n in range(len(ago))]
    steps = [(id_, step) for id_, some in zip(ids, ago, strict=True) for step in some]
    # Steps of four hours: fifteen days, three times what is dormant. Nobody calls in the span.
    calls = [
        Call(app_id=app_id, user_id=id_, time=start - step * timedelta(hours=4))
        for id_, step in steps
    ]
    await insert_calls(store, calls)
    before, after = [await lifecycles(store, app_id, ids, at) for at in (start, END)]
    changed = [id_ for id_, one, other in zip(ids, before, after, strict=True) if one != other]
    found: list[str] = []
    while True:
        page = await profiles_at(store, END).touched_users(
            app_id, after=1, active=None, passed=(start, END),
            above=found[-1] if found else "", limit=limit,
        )  # fmt: skip
        found += page
        if len(page) < limit:
            break
    assert found == changed


async def test_those_who_aged_come_among_those_who_were_touched(store: EventStore) -> None:
    """In one order, each once, and none is skipped at the end of a page."""
    calls = [
        Call(app_id="mixed", user_id=f"u{n}", time=END - (6 if n % 2 else 1) * DAY, log_offset=n)
        for n in range(1, 8)
    ]
    await insert_calls(store, [*calls, Call(app_id="mixed", user_id="u9", time=END - 6 * DAY)])
    found: list[list[str]] = [[""]]
    while len(found) == 1 or len(found[-1]) == 2:
        found.append(
            await profiles_at(store, END).touched_users(
                "mixed",
                after=4,
                active=None,
                passed=(END - 2 * DAY, END),
                above=found[-1][-1],
                limit=2,
            )
        )
    assert found[1:] == [["u1", "u3"], ["u5", "u6"], ["u7", "u9"], []]


@pytest.mark.parametrize(
    ("ago", "silent"), [((3,), None), ((8,), 8), ((40,), 40), ((9, 1), 9), ((7, 3), None)]
)
async def test_a_silence_is_known_by_its_last_call(
    store: EventStore, app_id: str, ago: tuple[int, ...], silent: int | None
) -> None:
    """However long ago it began; it ends with the first call after it."""
    await insert_calls(store, [Call(app_id=app_id, time=END - days * DAY) for days in ago])
    silence = (await profiles_at(store, END).people(app_id, ["ann"]))["ann"].silence
    assert (silence and silence.since) == (silent and END - silent * DAY)
    if silence is not None:
        assert silence.dormant_at == silence.since + 5 * DAY
        assert silence.ended_at == (END - DAY if len(ago) > 1 else None)


async def test_errors_are_counted_within_spans(store: EventStore, app_id: str) -> None:
    """Weighted, each within its span; who called in none is absent."""
    await insert_calls(
        store,
        [
            Call(app_id=app_id, time=END - DAY, status=500, weight=3),
            Call(app_id=app_id, time=END - DAY, status=404),
            Call(app_id=app_id, time=END - DAY + QUARTER, status=200),
            Call(app_id=app_id, time=END - 2 * DAY),
            Call(app_id=app_id, user_id="bob", time=END - 9 * DAY),
        ],
    )
    spans = [(END - DAY, END - DAY + QUARTER), (END - 3 * DAY, END)]
    found = await profiles_at(store, END).errors_within(app_id, ["ann", "bob"], spans)
    assert found == {"ann": [CallsAndErrors(4, 4), CallsAndErrors(6, 4)]}
