"""Conclude from an outcome what becomes of a message.

In: a message that waits, and what its destination said. Out: None when it is done, else how it
waits on. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from headwater.base.retry import backoff_s
from headwater.base.settings import FederationSettings
from headwater.destinations import Outcome
from headwater.federation.deliveries import Waiting


def conclude_all(
    waiting: Sequence[Waiting],
    outcomes: Mapping[str, Outcome],
    now: datetime,
    settings: FederationSettings,
) -> tuple[list[Waiting], list[Waiting]]:
    """Divide messages into those that are done, and those that wait on."""
    done: list[Waiting] = []
    left: list[Waiting] = []
    for one in waiting:
        further = conclude(one, outcomes.get(one.message.message_id), now, settings)
        if further is None:
            done.append(one)
        else:
            left.append(further)
    return done, left


def conclude(
    waiting: Waiting, outcome: Outcome | None, now: datetime, settings: FederationSettings
) -> Waiting | None:
    """Return how the message waits on; without an outcome it was not tried, and is due at once."""
    if outcome is None:
        return msgspec.structs.replace(waiting, next_attempt_at=now)
    if outcome.fate == "delivered":
        return None
    tried = msgspec.structs.replace(
        waiting,
        state=outcome.fate,
        attempts=waiting.attempts + 1,
        status=outcome.status,
        error=outcome.error,
        next_attempt_at=None,
    )
    if outcome.fate == "dead":
        return tried
    return _plan_retry(tried, outcome, now, settings)


def _plan_retry(
    tried: Waiting, outcome: Outcome, now: datetime, settings: FederationSettings
) -> Waiting:
    wait_s = outcome.retry_after_s
    if wait_s is None:
        wait_s = backoff_s(
            tried.attempts, first_s=settings.retry_first_s, cap_s=settings.retry_cap_s
        )
    at = now + timedelta(seconds=wait_s)
    if at - tried.first_tried_at > timedelta(seconds=settings.give_up_after_s):
        error = f"given up after {tried.attempts} attempts; the last one: {tried.error}"
        return msgspec.structs.replace(tried, state="dead", error=error)
    return msgspec.structs.replace(tried, next_attempt_at=at)
