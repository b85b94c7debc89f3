"""Report: what a user, or the people of a company, did and how the profile changed, newest first.

In: an id. Out: calls, actions, profile changes and links in one order, and the next cursor. Filters
choose among calls; actions are left out when the filters are about what only calls have.
"""

import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from headwater.analytics.actions import can_be_asked, page_of_actions, to_action
from headwater.analytics.cursor import TimeAndId, read_cursor, write_cursor
from headwater.analytics.events import page_of_calls, read_bodies, to_event
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import (
    CompanyTimelineSpec,
    TimelineKind,
    TimelineSpec,
    UserTimelineSpec,
)
from headwater.analytics.timeline_links import Link, links_of_company, links_of_user
from headwater.profiles import (
    VOICES,
    ProfileChange,
    bind_voices,
    changes_sql,
    own_voice,
    read_changes,
    read_voices,
)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A call (`event`), an action, a change of the profile (`fields`, `before`), or a link."""

    time: datetime
    kind: TimelineKind
    id: str
    event: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    fields: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    """What those of the fields were that had a value."""
    said_of: str = ""
    """Under which id a change was said: the user's or company's, or a browser's."""
    link: Link | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One page."""

    user_id: str = ""
    """Whose it is; empty if it is a company's."""
    company_id: str = ""
    items: list[Item]
    next_cursor: str | None
    meta: Meta


class _Subject(NamedTuple):
    """Whose timeline it is."""

    kind: Literal["user", "company"]
    id: str


async def tell_of_user(asking: Asking, question: Question, spec: UserTimelineSpec) -> Timeline:
    """Answer `user_timeline`."""
    return await _tell(asking, question, spec, _Subject("user", spec.user_id))


async def tell_of_company(
    asking: Asking, question: Question, spec: CompanyTimelineSpec
) -> Timeline:
    """Answer `company_timeline`."""
    return await _tell(asking, question, spec, _Subject("company", spec.company_id))


async def _tell(
    asking: Asking, question: Question, spec: TimelineSpec, subject: _Subject
) -> Timeline:
    # The cursor belongs to the whole line, so all its parts go on behind it.
    parts = [
        await _PARTS[kind](asking, question, spec, subject) for kind in spec.kinds or [*_PARTS]
    ]
    items = list(heapq.merge(*parts, key=_place, reverse=True))
    page = items[: spec.limit]
    following = write_cursor(TimeAndId(*_place(page[-1]))) if len(items) > spec.limit else None
    return Timeline(
        **{f"{subject.kind}_id": subject.id},
        items=page,
        next_cursor=following,
        meta=await asking.meta(question),
    )


async def _calls(
    asking: Asking, question: Question, spec: TimelineSpec, subject: _Subject
) -> list[Item]:
    theirs = _theirs(question, subject)
    rows, _ = await page_of_calls(asking, question, spec.limit + 1, spec.cursor, also=theirs)
    wide = await read_bodies(asking, question, rows)
    return [
        Item(
            time=row["time"],
            kind="call",
            id=row["call_id"],
            event=to_event(row, wide.get(row["call_id"], {})),
        )
        for row in rows
    ]


async def _actions(
    asking: Asking, question: Question, spec: TimelineSpec, subject: _Subject
) -> list[Item]:
    if not can_be_asked(question):
        return []
    theirs = _theirs(question, subject)
    rows, _ = await page_of_actions(asking, question, spec.limit + 1, spec.cursor, also=theirs)
    return [
        Item(time=row["time"], kind="action", id=row["action_id"], action=to_action(row))
        for row in rows
    ]


def _theirs(question: Question, subject: _Subject) -> str:
    return f"c.{subject.kind}_id = {question.bound.put(subject.id, 'String')}"


async def _changes(
    asking: Asking, question: Question, spec: TimelineSpec, subject: _Subject
) -> list[Item]:
    """Return what changed in the profile; what visitors said who turned out to be the user, too."""
    voices = [own_voice(subject.id)]
    if subject.kind == "user":
        visitors = await read_voices(asking.store, question.app_id, {subject.id})
        voices += visitors.get(subject.id, [])
    put = question.bound.put
    sql = changes_sql(
        question.app,
        put(subject.kind, "String"),
        put([voice.id for voice in voices], "Array(String)"),
        put(bind_voices(voices), VOICES),
        question.start,
        question.end,
    )
    found = [_to_item(change) for change in read_changes(await asking.ask(sql, question))]
    return _behind(found, spec)


async def _links(
    asking: Asking, question: Question, spec: TimelineSpec, subject: _Subject
) -> list[Item]:
    read = links_of_user if subject.kind == "user" else links_of_company
    found = await read(asking, question, spec, subject.id)
    return _behind([Item(time=at, kind="link", id=id_, link=link) for at, id_, link in found], spec)


_Part = Callable[[Asking, Question, TimelineSpec, _Subject], Awaitable[list[Item]]]
_PARTS: Mapping[TimelineKind, _Part] = {
    "call": _calls,
    "action": _actions,
    "profile": _changes,
    "link": _links,
}


def _behind(items: Iterable[Item], spec: TimelineSpec) -> list[Item]:
    """Return the items behind the cursor, newest first; no more than a page needs."""
    place = read_cursor(spec.cursor, TimeAndId) if spec.cursor else None
    behind = (item for item in items if place is None or _place(item) < (place.time, place.id))
    return sorted(behind, key=_place, reverse=True)[: spec.limit + 1]


def _to_item(change: ProfileChange) -> Item:
    return Item(
        time=change.at,
        kind="profile",
        id=change.update_id,
        fields=change.fields,
        before=change.before,
        said_of=change.said_of,
    )


def _place(item: Item) -> tuple[datetime, str]:
    return item.time, item.id
