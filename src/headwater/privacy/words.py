"""Say what became of users at a target, without naming them.

In: outcomes of asking a destination, and what others said. Out: words for people. Pure.
"""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from headwater.destinations import Outcome
from headwater.privacy.records import Target

_HIDDEN = "•••"
_MOST_CHARACTERS = 500


def after_asking(target: Target, outcomes: Sequence[Outcome], users: int) -> Target:
    """Return a target after a portion of its users; it counts when none has to be tried again."""
    retry = next((one for one in outcomes if one.fate == "retry"), None)
    if retry is not None:
        return replace(target, word=retry.error)
    dead = [one for one in outcomes if one.fate == "dead"]
    further = replace(
        target,
        users_done=target.users_done + len(outcomes),
        users_refused=target.users_refused + len(dead),
        attempts=0,
        word=dead[0].error if dead else target.word,
    )
    return further if further.users_done < users else _ended(further)


def _ended(target: Target) -> Target:
    taken = target.users_done - target.users_refused
    if not target.users_refused:
        return replace(target, state="done", word=f"Took the deletion of {_count(taken)}.")
    said = f"Refused {_count(target.users_refused)} of {target.users_done}: {target.word}"
    return replace(target, state="failed", word=said)


def _count(users: int) -> str:
    return "1 user" if users == 1 else f"{users} users"


def asked_wait_s(outcomes: Sequence[Outcome]) -> float:
    """Return for how long a destination wants to be left alone."""
    return max((one.retry_after_s or 0.0 for one in outcomes), default=0.0)


def without_names(user_ids: Sequence[str], text: str) -> str:
    """Return what somebody said without the users that it names: answers repeat what was asked."""
    names = "|".join(map(re.escape, sorted(user_ids, key=len, reverse=True)))
    return re.sub(rf"(?<!\w)(?:{names})(?!\w)", _HIDDEN, text)[:_MOST_CHARACTERS]
