"""The filter forgets nothing before its time, and hardly ever takes new ids for known ones."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import SetClock, SystemClock
from headwater.ingest import seen_ids
from headwater.ingest.seen_ids import SeenIds
from tests.support.calls import NOON

_KEEP = timedelta(days=30)
_KEYS = st.lists(st.tuples(st.text(max_size=3), st.text(max_size=5)), max_size=50)


@given(_KEYS, _KEYS)
def test_what_was_seen_is_known(
    first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    """In one go or in two."""
    seen = SeenIds(SystemClock(), _KEEP)
    seen.update(first)
    seen.update(second)
    assert seen.suspects(first + second) == {*first, *second}


def test_new_ids_are_hardly_ever_suspected() -> None:
    """Each suspicion is a question to the store."""
    seen = SeenIds(SystemClock(), _KEEP)
    seen.update(("app_1", f"old_{number}") for number in range(100_000))
    suspects = len(seen.suspects([("app_1", f"new_{number}") for number in range(100_000)]))
    assert suspects < 100


def test_it_grows_and_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that is full is followed by a larger one."""
    monkeypatch.setattr(seen_ids, "_FIRST_FILTER_KEYS", 10)
    seen = SeenIds(SystemClock(), _KEEP)
    keys = [("app_1", str(number)) for number in range(1_000)]
    seen.update(keys)
    assert len(seen._filters) > 3
    assert seen.suspects(keys) == {*keys}
    assert len(seen.suspects([("app_2", str(number)) for number in range(1_000)])) < 20


def test_the_same_id_of_another_app_is_new() -> None:
    """Apps share nothing."""
    seen = SeenIds(SystemClock(), _KEEP)
    seen.update([("app_1", "call_1")])
    assert not seen.suspects([("app_2", "call_1")])


def test_it_holds_no_more_than_what_came_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    """A year takes no more room than two months; nothing is forgotten too early."""
    monkeypatch.setattr(seen_ids, "_FIRST_FILTER_KEYS", 100)
    clock = SetClock(NOON)
    seen = SeenIds(clock, _KEEP)
    room: list[int] = []
    for day in range(365):
        seen.update(("app_1", f"{day}-{number}") for number in range(50))
        lately = range(max(0, day - _KEEP.days + 1), day + 1)
        keys = {("app_1", f"{of}-{number}") for of in lately for number in range(50)}
        assert seen.suspects(keys) == keys
        room.append(sum(one.keys.size_in_bits for one in seen._filters))
        clock.move(timedelta(days=1))
    assert max(room[60:]) <= max(room[:60]) * 2
    assert not seen.suspects([("app_1", "0-0")])
