"""The rules of federation, without engines."""

from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import SetClock
from headwater.base.settings import FederationSettings
from headwater.destinations import Outcome
from headwater.federation.breaker import Breaker
from headwater.federation.conclude import conclude, spare_for_key
from headwater.federation.figures import age_at, age_bucket
from headwater.federation.lanes import Haul, Lanes, Piece
from headwater.federation.masking import hide_secrets
from headwater.federation.subscribe import is_wanted
from headwater.federation.waiting import Waiting
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


def noted(breaker: Breaker, clock: SetClock, *outcomes: Outcome) -> None:
    """Note answers that came one after the other."""
    for outcome in outcomes:
        began_s = breaker.begin()
        clock.move(timedelta(microseconds=1))
        breaker.note([outcome], began_s)
        clock.move(timedelta(microseconds=1))


def test_a_failing_destination_rests_and_is_tried_again() -> None:
    """After five failures in a row it rests, longer each time; one success ends it."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    noted(breaker, clock, *[BUSY] * 4)
    assert not breaker.is_open
    noted(breaker, clock, BUSY)
    assert 0 < breaker.rest_s <= 1
    clock.move(timedelta(seconds=1))
    assert not breaker.is_open
    assert breaker.is_probing
    assert breaker.limit == 1
    noted(breaker, clock, *[BUSY] * 20)
    assert breaker.rest_s <= SETTINGS.pause_cap_s
    clock.move(timedelta(seconds=SETTINGS.pause_cap_s))
    noted(breaker, clock, DONE, BUSY)
    assert not breaker.is_open
    assert not breaker.is_probing


def test_what_was_on_the_wire_together_is_one_failure() -> None:
    """A hundred requests that a single hiccup broke are no reason to rest."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    began_s = breaker.begin()
    for _ in range(100):
        clock.move(timedelta(milliseconds=1))
        breaker.note([BUSY], began_s)
    assert not breaker.is_open


def test_a_refused_message_is_no_failure_of_the_destination() -> None:
    """A destination that answers 400 is alive."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    noted(breaker, clock, *[BUSY, BUSY, BUSY, BUSY, WRONG] * 3)
    assert not breaker.is_open


def test_a_request_for_time_is_granted_at_once() -> None:
    """A single 429 with `Retry-After` stops everything for that long, an hour at most."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    for asked_s, rest_s in [(30.0, 30), (86_400.0, 3600)]:
        noted(breaker, clock, Outcome(fate="retry", status=429, retry_after_s=asked_s))
        assert breaker.rest_s == pytest.approx(rest_s, abs=0.01)


def test_success_lets_more_requests_out_and_trouble_fewer() -> None:
    """From two at once to the most there may be; half of that after a failure."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    assert breaker.limit == 2
    noted(breaker, clock, *[DONE] * 100)
    assert breaker.limit == SETTINGS.concurrency
    noted(breaker, clock, BUSY)
    assert breaker.limit == SETTINGS.concurrency // 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_pauses_the_destination_and_keeps_the_message(status: int) -> None:
    """Until a person says so, however long; then one message goes first."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    noted(breaker, clock, *[DONE] * 10)
    refused = Outcome(fate="dead", status=status, error=f"answered {status}")
    spared = spare_for_key(a_waiting(), refused, key_is_good=breaker.accepts)
    noted(breaker, clock, spared)
    assert (breaker.is_open, breaker.paused) == (True, f"answered {status}")
    old = a_waiting(since=timedelta(seconds=SETTINGS.give_up_after_s))
    kept = conclude(old, spared, NOON, SETTINGS)
    assert kept is not None
    assert kept.state == "retry"
    breaker.resume()
    assert (breaker.is_open, breaker.in_doubt, breaker.limit) == (False, True, 1)
    noted(breaker, clock, DONE)
    assert (breaker.in_doubt, breaker.limit > 1) == (False, True)


def test_a_message_dies_of_a_key_only_while_others_are_taken() -> None:
    """Refused a second time while nothing was taken in between, it waits on."""
    clock = SetClock(NOON)
    breaker = Breaker(clock, SETTINGS)
    refused = Outcome(fate="dead", status=403, error="answered 403")
    again = msgspec.structs.replace(a_waiting(1), status=403)
    breaker.resume()
    spared = spare_for_key(again, refused, key_is_good=breaker.accepts)
    assert spared.fate == "retry"
    noted(breaker, clock, spared)
    breaker.resume()
    noted(breaker, clock, WRONG)
    assert spare_for_key(again, refused, key_is_good=breaker.accepts).fate == "dead"
    noted(breaker, clock, refused)
    assert (breaker.is_open, breaker.in_doubt) == (False, True)


def test_after_four_hours_a_message_is_tried_slowly() -> None:
    """However often it was tried before."""
    tried = a_waiting(1, timedelta(seconds=SETTINGS.retry_fast_for_s))
    waits = [conclude(tried, BUSY, NOON, SETTINGS) for _ in range(50)]
    longest = max(one.next_attempt_at - NOON for one in waits if one and one.next_attempt_at)
    assert timedelta(seconds=SETTINGS.retry_cap_s) < longest
    assert longest <= timedelta(seconds=SETTINGS.retry_slow_s)


def _at_noon(number: int) -> Waiting:
    return Waiting(message=a_message(str(number)), first_tried_at=NOON)


def a_haul(*keys: str) -> list[Piece]:
    haul = Haul(pieces=[])
    return [Piece(_at_noon(n), haul, [], key, goes_alone=n % 3 == 0) for n, key in enumerate(keys)]


@given(st.lists(st.sampled_from(["ann", "bob", "cy", ""]), max_size=40), st.data())
def test_lanes_keep_the_order_of_each_user(keys: list[str], data: st.DataObject) -> None:
    """One message of a user at a time, in order; one that waits holds back its user's alone."""
    lanes = Lanes()
    pieces = a_haul(*keys)
    lanes.put(pieces)
    sent: list[Piece] = []
    held: list[Piece] = []
    stopped: set[str] = set()
    while lanes:
        taken = lanes.take(data.draw(st.integers(1, 5)))
        users = [piece.lane for piece in taken if piece.lane]
        assert len(users) == len(set(users))
        for piece in taken:
            assert piece.lane not in stopped
            assert not (piece.goes_alone and len(taken) > 1)
            sent.append(piece)
            if data.draw(st.booleans()):
                lanes.let_pass(piece)
            else:
                held += lanes.hold_back(piece)
                stopped |= {piece.lane} - {""}
    assert sorted(map(pieces.index, sent + held)) == list(range(len(pieces)))
    for key in {*keys} - {""}:
        mine = [pieces.index(piece) for piece in sent if piece.lane == key]
        assert mine == sorted(mine)


@given(st.lists(st.floats(0.001, 1e5), min_size=1))
def test_ages_are_told_within_a_seventh(ages_s: list[float]) -> None:
    """The middle and the worst of them, from counts by step."""
    counts = Counter(map(age_bucket, ages_s))
    worst = age_at(counts, 1.0)
    assert worst is not None
    assert worst == pytest.approx(max(ages_s), rel=0.16, abs=0.001)


def test_values_behind_telling_names_are_hidden() -> None:
    """At any depth; the rest is as it came."""
    body = {"traits": {"apiKey": "s3cret", "plan": "pro"}, "list": [{"password": "x"}]}
    assert hide_secrets(body) == {
        "traits": {"apiKey": "***", "plan": "pro"},
        "list": [{"password": "***"}],
    }
