"""Tell what users reached, as track messages: each occurrence of a milestone once, for ever.

In: a page of users. Out: messages with the moment of the milestone. Pure: what was reached is read
from the profile and its numbers, so a repeated run makes the same message with the same id. What
lies further back than a week is history by now, and not told.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from headwater.base.clock import to_wire_time
from headwater.base.errors import InvalidInputError
from headwater.extensions.people import People
from headwater.extensions.segment.identify import Json, make_context, without_absent
from headwater.extensions.segment.spikes import Spike, find_spikes
from headwater.extensions.windows import Window, message_id
from headwater.profiles import Person

FIRST_SUCCESS = "First Successful API Call"
DORMANT = "API User Went Dormant"
RESURRECTED = "API User Resurrected"
SPIKED = "API Error Rate Spiked"
_TOLD_WITHIN = timedelta(days=7)


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence of a milestone."""

    at: datetime
    occurrence: str = ""
    """Tells it from other occurrences for the same user; empty: there is only one."""
    properties: Json


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


def make_milestones(
    people: People, wanted: Collection[str], spike: Spike
) -> Iterator[tuple[str, Json]]:
    """Yield the subject and the message of each milestone that was reached lately."""
    for name in wanted:
        for user in people.users:
            for reached in _FINDERS[name](user, people, spike):
                if people.window.now - _TOLD_WITHIN <= reached.at <= people.window.now:
                    subject = ":".join(filter(None, ("milestone", name, reached.occurrence)))
                    yield f"{subject}:{user.id}", _track(name, user, people.window, reached)


def _track(name: str, user: Person, window: Window, reached: Reached) -> Json:
    occurrence = (reached.occurrence,) if reached.occurrence else ()
    return {
        "type": "track",
        "event": name,
        # Without the target: another choice of traits must not tell it again.
        "messageId": message_id(window.connection_id, "", user.id, "", 0, name, *occurrence),
        "userId": user.id,
        "timestamp": to_wire_time(reached.at),
        "context": make_context(user),
        "properties": without_absent({**reached.properties, "company": user.company_id}),
    }


def _first_success(user: Person, _people: People, _spike: Spike) -> Iterator[Reached]:
    if user.first_success_at is not None:
        yield Reached(at=user.first_success_at, properties={"ttfhw_s": user.ttfhw_s})


def _dormant(user: Person, _people: People, _spike: Spike) -> Iterator[Reached]:
    """Whoever came back before anybody looked was dormant all the same."""
    if user.silence is not None:
        last = to_wire_time(user.silence.since)
        yield Reached(
            at=user.silence.dormant_at, occurrence=last, properties={"lastCallTime": last}
        )


def _resurrected(user: Person, _people: People, _spike: Spike) -> Iterator[Reached]:
    silence = user.silence
    if silence is not None and silence.ended_at is not None:
        last, days = to_wire_time(silence.since), (silence.ended_at - silence.since).days
        properties = {"lastCallTime": last, "daysSilent": days}
        yield Reached(at=silence.ended_at, occurrence=last, properties=properties)


def _spiked(user: Person, people: People, spike: Spike) -> Iterator[Reached]:
    """The moment is the end of the day, or now while it lasts."""
    for day, at in find_spikes(spike, people.errors.get(user.id, ()), people.window):
        properties = {
            "day": day.day,
            "calls": day.of_day.calls,
            "errors": day.of_day.errors,
            "errorRate": round(day.of_day.rate, 4),
            "usualErrorRate": round(day.before.rate, 4),
        }
        yield Reached(at=at, occurrence=day.day, properties=properties)


_FINDERS: Mapping[str, Callable[[Person, People, Spike], Iterator[Reached]]] = {
    FIRST_SUCCESS: _first_success,
    DORMANT: _dormant,
    RESURRECTED: _resurrected,
    SPIKED: _spiked,
}
MILESTONES = tuple(_FINDERS)
