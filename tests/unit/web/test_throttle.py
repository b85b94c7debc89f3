"""Guessing gets slower, and nobody is locked out."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.base.clock import SetClock
from headwater.web.throttle import FORGET_AFTER_S, LONGEST_WAIT_S, MustWaitError, Throttle


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 20, tzinfo=UTC))


def wait_s(throttle: Throttle, name: str, free: int = 2) -> float:
    with pytest.raises(MustWaitError) as caught:
        throttle.take({name: free})
    return caught.value.wait_s


def test_the_wait_doubles_after_the_free_tries_up_to_a_limit(clock: SetClock) -> None:
    """Free tries cost nothing; each further one doubles the wait; a minute is the most."""
    throttle = Throttle(clock)
    throttle.take({"ann": 2})
    throttle.take({"ann": 2})
    waits = []
    for _ in range(9):
        waits.append(wait_s(throttle, "ann"))
        clock.move(timedelta(seconds=waits[-1]))
        throttle.take({"ann": 2})
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]


def test_a_success_and_time_both_wipe_the_slate(clock: SetClock) -> None:
    """After a success, or a quarter of an hour, the tries are free again."""
    throttle = Throttle(clock)
    for _ in range(2):
        throttle.take({"ann": 2})
    throttle.forget("ann")
    for _ in range(2):
        throttle.take({"ann": 2})
    clock.move(timedelta(seconds=FORGET_AFTER_S))
    throttle.take({"ann": 2})


def test_one_who_waits_does_not_hold_up_another(clock: SetClock) -> None:
    """A guesser's account waits; the same account from another address does not."""
    throttle = Throttle(clock)
    for _ in range(2):
        throttle.take({"10.0.0.1 ann": 2, "10.0.0.1": 20})
    assert wait_s(throttle, "10.0.0.1 ann") > 0
    throttle.take({"10.0.0.2 ann": 2, "10.0.0.2": 20})


def test_a_refused_try_is_not_counted(clock: SetClock) -> None:
    """Hammering while one has to wait does not make the wait longer."""
    throttle = Throttle(clock)
    for _ in range(2):
        throttle.take({"ann": 2})
    assert [wait_s(throttle, "ann") for _ in range(3)] == [1, 1, 1]
