"""Milestones are told once for each occurrence, while they are news, and only when asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.extensions.people import ErrorDay, People
from headwater.extensions.segment.extension import Segment
from headwater.extensions.segment.milestones import (
    DORMANT,
    MILESTONES,
    RESURRECTED,
    SPIKED,
)
from headwater.extensions.segment.spikes import Spike, is_spike
from headwater.extensions.windows import Window
from headwater.profiles import CallsAndErrors, Person, Silence
from headwater.workspace import App
from tests.support.rollups import make_rollup

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
APP = App(id="app_1", name="one", timezone="UTC", created_at=NOW)
STILL = Silence(since=NOW - 30 * DAY, dormant_at=NOW - 2 * DAY, ended_at=None)
ENDED = msgspec.structs.replace(STILL, ended_at=NOW - DAY)
ANN = Person(id="ann", doc={}, created_at=NOW - 90 * DAY, modified_at=NOW, company_id="acme")
counts = st.integers(0, 400).flatmap(
    lambda calls: st.builds(CallsAndErrors, st.just(calls), st.integers(0, calls))
)


def page(user: Person, *errors: ErrorDay, now: datetime = NOW) -> People:
    window = Window(
        app=APP, connection_id="ext_1", target="t", now=now, upto=100, day="2026-11-22",
        after=0, after_day="",
    )  # fmt: skip
    days = {user.id: make_rollup(date="2026-11-22")}
    return People(
        window=window, users=[user], companies={}, days=days, rolling=days,
        errors={user.id: errors},
    )  # fmt: skip


def tracks(people: People, *names: str, **settings: Any) -> list[dict[str, Any]]:
    extension = Segment()
    chosen = extension.read_settings({"milestones": list(names), **settings})
    found = [msgspec.json.decode(i.payload or b"") for i in extension.compose(chosen, people)]
    return [message for message in found if message["type"] == "track"]


def silent(silence: Silence) -> Person:
    return msgspec.structs.replace(ANN, silence=silence)


def a_day(day: str, calls: int, errors: int, before: tuple[int, int] = (700, 7)) -> ErrorDay:
    return ErrorDay(day=day, of_day=CallsAndErrors(calls, errors), before=CallsAndErrors(*before))


def test_a_user_goes_dormant_once_each_silence() -> None:
    """Stamped with the moment; whoever came back since was dormant all the same."""
    (track,) = tracks(page(silent(STILL)), DORMANT)
    assert (track["event"], track["timestamp"]) == (DORMANT, "2026-11-21T10:00:00.000Z")
    assert track["properties"] == {"lastCallTime": "2026-10-24T10:00:00.000Z", "company": "acme"}
    (back,) = tracks(page(silent(ENDED)), DORMANT)
    assert back["messageId"] == track["messageId"]
    other = msgspec.structs.replace(STILL, since=STILL.since - DAY)
    assert tracks(page(silent(other)), DORMANT)[0]["messageId"] != track["messageId"]


def test_a_user_is_resurrected_once_each_silence() -> None:
    """A call that comes late, and before the one that ended the silence, tells nothing twice."""
    (track,) = tracks(page(silent(ENDED)), RESURRECTED)
    assert (track["event"], track["timestamp"]) == (RESURRECTED, "2026-11-22T10:00:00.000Z")
    assert track["properties"]["daysSilent"] == 29
    late = msgspec.structs.replace(ENDED, ended_at=NOW - DAY - timedelta(hours=1))
    assert tracks(page(silent(late)), RESURRECTED)[0]["messageId"] == track["messageId"]
    assert tracks(page(silent(STILL)), RESURRECTED) == []


def test_what_is_history_is_not_told() -> None:
    """A week after its moment a milestone is no news."""
    assert tracks(page(silent(ENDED), now=NOW + 8 * DAY), DORMANT, RESURRECTED) == []


def test_a_spike_is_told_once_a_day() -> None:
    """While the day lasts and after it the same message; another day has another."""
    (so_far,) = tracks(page(ANN, a_day("2026-11-23", 100, 20)), SPIKED)
    assert so_far["properties"] == {
        "day": "2026-11-23", "calls": 100, "errors": 20, "errorRate": 0.2,
        "usualErrorRate": 0.01, "company": "acme",
    }  # fmt: skip
    (whole,) = tracks(page(ANN, a_day("2026-11-23", 900, 450), now=NOW + DAY), SPIKED)
    assert whole["messageId"] == so_far["messageId"]
    assert (so_far["timestamp"], whole["timestamp"]) == (
        "2026-11-23T10:00:00.000Z",
        "2026-11-23T23:59:59.999Z",
    )
    both = page(ANN, a_day("2026-11-22", 100, 20), a_day("2026-11-23", 100, 20))
    assert len({track["messageId"] for track in tracks(both, SPIKED)}) == 2
    items = Segment().compose(Segment().read_settings({"milestones": [SPIKED]}), both)
    assert len({item.subject for item in items}) == 3  # of one subject the newest is remembered


@pytest.mark.parametrize(
    ("day", "before", "spikes"),
    [
        ((100, 10), (100, 3), True),
        ((99, 99), (100, 3), False),
        ((100, 10), (99, 3), False),
        ((100, 9), (100, 3), False),
        ((100, 10), (100, 4), False),
        ((100, 10), (100, 0), True),
        ((1000, 300), (1000, 100), True),
        ((1000, 299), (1000, 100), False),
    ],
)
def test_a_bound_is_a_bound(day: tuple[int, int], before: tuple[int, int], spikes: object) -> None:
    """Enough calls on both sides, enough errors, and far above what is usual."""
    assert is_spike(Spike(), a_day("2026-11-23", *day, before)) is spikes


@given(counts, counts, st.integers(0, 50))
def test_more_errors_never_end_a_spike(
    day: CallsAndErrors, before: CallsAndErrors, more: int
) -> None:
    """Nor does a better week before."""
    spiked = is_spike(Spike(), ErrorDay(day="", of_day=day, before=before))
    worse = CallsAndErrors(day.calls, min(day.calls, day.errors + more))
    better = CallsAndErrors(before.calls, max(0, before.errors - more))
    if spiked:
        assert is_spike(Spike(), ErrorDay(day="", of_day=worse, before=better))


def test_thresholds_are_settable() -> None:
    """As texts, as a form sends them; what is senseless is refused by name."""
    mild = page(ANN, a_day("2026-11-23", 20, 1, (20, 1)))
    assert tracks(mild, SPIKED) == []
    low = {"spike_calls": "20", "spike_percent": "5", "spike_times": "1"}
    assert len(tracks(mild, SPIKED, **low)) == 1
    for name, value in (("spike_calls", 0), ("spike_percent", 101), ("spike_times", "much")):
        with pytest.raises(InvalidInputError) as refused:
            Segment().read_settings({name: value})
        assert refused.value.field == name


def test_each_milestone_has_its_own_switch() -> None:
    """All are off by default; asking for one gives no other, nor its questions."""
    everything = page(silent(ENDED), a_day("2026-11-23", 100, 20))
    assert tracks(everything) == []
    for name in MILESTONES:
        assert {track["event"] for track in tracks(everything, name)} <= {name}
    wanted = Segment().wanted(Segment().read_settings({"milestones": [SPIKED]}))
    assert (wanted.errors, wanted.lifecycle) == (True, False)
    wanted = Segment().wanted(Segment().read_settings({"milestones": [DORMANT]}))
    assert (wanted.errors, wanted.lifecycle) == (False, True)
