"""The rules of federation, without engines."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import SetClock
from headwater.base.settings import FederationSettings
from headwater.destinations import Outcome
from headwater.federation.breaker import Breaker
from headwater.federation.conclude import conclude
from headwater.federation.deliveries import Waiting
from headwater.federation.subscribe import is_wanted
from tests.support.messages import NOON, a_message

SETTINGS = FederationSettings()
NAMES = ("dst_1", "Sales alerts", "Webhook", "webhook")
DONE = Outcome(fate="delivered", status=200)
BUSY = Outcome(fate="retry", status=503, error="answered 503")
WRONG = Outcome(fate="dead", status=400, error="answered 400")


@pytest.mark.parametrize(
    ("integrations", "wanted"),
    [
        ({}, True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"All": False, "Webhook": True}, True),
        ({"All": False, "Webhook": {"channel": "x"}}, True),
        ({"All": False, "Webhook": {}}, True),
        ({"All": True, "Webhook": False}, False),
        ({"Webhook": False}, False),
        ({"Webhook": None, "All": False}, False),
        ({"webhook": False}, False),
        ({"WEBHOOK": False}, True),
        ({"dst_1": True, "Webhook": False}, True),
        ({"Sales alerts": False}, False),
        ({"Slack": False}, True),
        ({"All": False, "Slack": True}, False),
    ],
)
def test_integrations_decide_as_segment_documents(
    integrations: dict[str, Any], wanted: bool
) -> None:
    """The destination's own entry beats `All`; an object is yes; unknown names are ignored."""
    assert is_wanted(integrations, NAMES) is wanted


def a_waiting(attempts: int = 0, since: timedelta = timedelta(0)) -> Waiting:
    return Waiting(message=a_message(), attempts=attempts, first_tried_at=NOON - since)


def test_what_is_delivered_waits_no_more() -> None:
    assert conclude(a_waiting(), DONE, NOON, SETTINGS) is None


def test_what_was_not_tried_is_due_at_once() -> None:
    """Its count of attempts stays as it was."""
    left = conclude(a_waiting(3), None, NOON, SETTINGS)
    assert left is not None
    assert (left.state, left.attempts, left.next_attempt_at) == ("retry", 3, NOON)


def test_what_was_refused_is_dead_with_its_reason() -> None:
    left = conclude(a_waiting(), WRONG, NOON, SETTINGS)
    assert left is not None
    assert (left.state, left.status, left.next_attempt_at) == ("dead", 400, None)
    assert left.error == "answered 400"


@given(st.integers(0, 60))
def test_waits_grow_and_stay_within_their_cap(attempts: int) -> None:
    """Full jitter: after the n-th failure at most `first * 2^(n-1)` seconds, never over the cap."""
    left = conclude(a_waiting(attempts), BUSY, NOON, SETTINGS)
    assert left is not None
    assert left.next_attempt_at is not None
    wait_s = (left.next_attempt_at - NOON).total_seconds()
    assert 0 < wait_s <= min(SETTINGS.retry_cap_s, SETTINGS.retry_first_s * 2.0**attempts)
    assert left.attempts == attempts + 1


def test_the_destination_says_how_long_to_wait() -> None:
    """`Retry-After` beats our own plan."""
    told = Outcome(fate="retry", status=429, error="answered 429", retry_after_s=1234.0)
    left = conclude(a_waiting(), told, NOON, SETTINGS)
    assert left is not None
    assert left.next_attempt_at == NOON + timedelta(seconds=1234)


def test_after_three_days_a_message_is_given_up() -> None:
    """It is dead with its last error, and can be replayed."""
    old = a_waiting(40, timedelta(seconds=SETTINGS.give_up_after_s))
    left = conclude(old, BUSY, NOON, SETTINGS)
    assert left is not None
    assert (left.state, left.attempts) == ("dead", 41)
    assert "given up after 41 attempts" in left.error
    assert "answered 503" in left.error


def test_a_failing_destination_rests_and_is_tried_again() -> None:
    """After five failures in a row it rests, longer each time; one success ends it."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    for _ in range(4):
        breaker.note(BUSY)
    assert breaker.rest_s == 0
    breaker.note(BUSY)
    assert 0 < breaker.rest_s <= 1
    clock.move(timedelta(seconds=1))
    assert breaker.rest_s == 0
    for _ in range(20):
        breaker.note(BUSY)
    assert breaker.rest_s <= SETTINGS.pause_cap_s
    clock.move(timedelta(seconds=SETTINGS.pause_cap_s))
    breaker.note(DONE)
    breaker.note(BUSY)
    assert breaker.rest_s == 0


def test_a_refused_message_is_no_failure_of_the_destination() -> None:
    """A destination that answers 400 is alive."""
    breaker = Breaker(SetClock(NOON), SETTINGS)
    for outcome in [BUSY, BUSY, BUSY, BUSY, WRONG] * 3:
        breaker.note(outcome)
    assert breaker.rest_s == 0


def test_a_request_for_time_is_granted_at_once() -> None:
    """A single 429 with `Retry-After` stops everything for that long, an hour at most."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    breaker.note(Outcome(fate="retry", status=429, retry_after_s=30.0))
    assert breaker.rest_s == 30
    breaker.note(Outcome(fate="retry", status=429, retry_after_s=86_400.0))
    assert breaker.rest_s == 3600
