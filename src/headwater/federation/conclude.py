"""Conclude from an outcome what becomes of a message.

In: a message that waits, and what its destination said. Out: None when it is done, else how it
waits on: fast for some hours, slowly for some days, then dead. Pure.
"""

from datetime import datetime, timedelta

import msgspec

from headwater.base.retry import backoff_s
from headwater.base.settings import FederationSettings
from headwater.destinations import Outcome
from headwater.federation.waiting import Waiting

KEY_REFUSED = frozenset({401, 403})
"""The destination does not take our key: all messages would be refused alike."""
GONE = 410
_NO_ANSWER = "no-answer"


def conclude(
    waiting: Waiting, outcome: Outcome, now: datetime, settings: FederationSettings
) -> Waiting | None:
    """Return how a message that was tried waits on; None when it is delivered."""
    if outcome.fate == "delivered":
        return None
    tried = msgspec.structs.replace(
        waiting,
        state=outcome.fate,
        attempts=waiting.attempts + 1,
        status=outcome.status,
        error=outcome.error,
        error_class=class_of(outcome),
        next_attempt_at=None,
    )
    return tried if outcome.fate == "dead" else _plan_retry(tried, outcome, now, settings)


def spare_for_key(waiting: Waiting, outcome: Outcome, *, key_is_good: bool) -> Outcome:
    """Return a refused key as what it is: trouble that a person mends, and no message's end.

    Refused once more while the key was taken from others, it is the message's own fault.
    """
    if outcome.status not in KEY_REFUSED or (key_is_good and waiting.status in KEY_REFUSED):
        return outcome
    return msgspec.structs.replace(outcome, fate="retry")


def class_of(outcome: Outcome) -> str:
    """Return the class of an error, in the words of Segment's delivery view."""
    kind = "awaiting-retry" if outcome.fate == "retry" else "discarded"
    return f"{kind}.{outcome.status or outcome.code or _NO_ANSWER}"


def _plan_retry(
    tried: Waiting, outcome: Outcome, now: datetime, settings: FederationSettings
) -> Waiting:
    wait_s = outcome.retry_after_s
    if wait_s is None:
        wait_s = _wait_s(tried, now, settings)
    at = now + timedelta(seconds=wait_s)
    given_up_at = tried.first_tried_at + timedelta(seconds=settings.give_up_after_s)
    if at > given_up_at and outcome.status not in KEY_REFUSED:
        error = f"given up after {tried.attempts} attempts; the last one: {tried.error}"
        return msgspec.structs.replace(tried, state="dead", error=error)
    return msgspec.structs.replace(tried, next_attempt_at=at)


def _wait_s(tried: Waiting, now: datetime, settings: FederationSettings) -> float:
    if now - tried.first_tried_at >= timedelta(seconds=settings.retry_fast_for_s):
        return backoff_s(1, first_s=settings.retry_slow_s, cap_s=settings.retry_slow_s)
    return backoff_s(tried.attempts, first_s=settings.retry_first_s, cap_s=settings.retry_cap_s)
