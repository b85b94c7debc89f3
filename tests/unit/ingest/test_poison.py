"""Bisection finds exactly the calls that stop a batch."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import UnavailableError
from headwater.ingest.heads import Call
from headwater.ingest.poison import find_poison
from tests.support.calls import in_hand, make_call


def _calls(count: int) -> list[Call]:
    return [call for number in range(count) for call in in_hand(make_call(), offset=number)]


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, 40)))))
async def test_exactly_the_bad_ones_are_found(drawn: tuple[int, set[int]]) -> None:
    """Whatever the bad ones are, all others stay, in order."""
    count, bad = drawn

    async def trial(calls: Sequence[Call]) -> None:
        if any(call.offset in bad for call in calls):
            raise ValueError("bad")

    good, poison = await find_poison(_calls(count), trial)
    assert [call.offset for call in good] == [n for n in range(count) if n not in bad]
    assert [call.offset for call, _ in poison] == [n for n in range(count) if n in bad]


async def test_temporary_trouble_is_not_poison() -> None:
    """It passes through, so that the range is tried again."""

    async def trial(calls: Sequence[Call]) -> None:
        if calls:
            raise UnavailableError("disk full")

    with pytest.raises(UnavailableError):
        await find_poison(_calls(3), trial)


async def test_a_bug_of_ours_is_not_blamed_on_the_calls() -> None:
    """When not even an empty batch passes, nothing is quarantined."""

    async def trial(_: Sequence[Call]) -> None:
        raise TypeError("a column is missing")

    with pytest.raises(TypeError):
        await find_poison(_calls(3), trial)
