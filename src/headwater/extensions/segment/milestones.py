"""Tell what users reached, as track messages: each milestone of a user once, for ever.

In: a page of users. Out: messages with the moment of the milestone. Pure: what was reached is read
from the profile, so a repeated run makes the same message with the same id. What lies further back
than a week is history by now, and not told.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from headwater.base.clock import to_wire_time
from headwater.base.errors import InvalidInputError
from headwater.extensions.people import People
from headwater.extensions.segment.identify import Json, make_context, without_absent
from headwater.extensions.windows import Window, message_id
from headwater.profiles import Person

FIRST_SUCCESS = "First Successful API Call"
MILESTONES = (FIRST_SUCCESS,)
_TOLD_WITHIN = timedelta(days=7)


def clean_milestones(names: Collection[str]) -> tuple[str, ...]:
    """Return the names in order, each once, or refuse an unknown one."""
    tidy = tuple(sorted({name.strip() for name in names if name.strip()}))
    for name in tidy:
        if name not in MILESTONES:
            raise InvalidInputError(
                f"There is no milestone {name!r}.",
                field="milestones",
                hint=f"Known: {', '.join(MILESTONES)}.",
            )
    return tidy


def make_milestones(people: People, wanted: Collection[str]) -> Iterator[tuple[str, Json]]:
    """Yield the subject and the message of each milestone that was reached lately."""
    for user in people.users:
        at = user.first_success_at
        if FIRST_SUCCESS in wanted and at is not None and _is_news(at, people.window):
            yield f"milestone:{FIRST_SUCCESS}:{user.id}", _track(user, people.window, at)


def _is_news(at: datetime, window: Window) -> bool:
    return window.now - _TOLD_WITHIN <= at <= window.now


def _track(user: Person, window: Window, at: datetime) -> Json:
    return {
        "type": "track",
        "event": FIRST_SUCCESS,
        # Without the target: another choice of traits must not tell it again.
        "messageId": message_id(window.connection_id, "", user.id, "", 0, FIRST_SUCCESS),
        "userId": user.id,
        "timestamp": to_wire_time(at),
        "context": make_context(user),
        "properties": without_absent({"ttfhw_s": user.ttfhw_s, "company": user.company_id}),
    }
