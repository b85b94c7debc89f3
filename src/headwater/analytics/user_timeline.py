"""Report: what one user did and how the profile changed, newest first.

In: a user id. Out: calls, actions and profile changes in one order, and the next cursor. Filters
choose among calls; actions are left out when the filters are about what only calls have.
"""

import heapq
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics.actions import can_be_asked, page_of_actions, to_action
from headwater.analytics.cursor import TimeAndId, read_cursor, write_cursor
from headwater.analytics.events import page_of_calls, read_bodies, to_event
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import UserTimelineSpec
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
    """A call (`event`), an action (`action`) or a change of the profile (`fields`, `before`)."""

    time: datetime
    kind: str
    id: str
    event: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    fields: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    """What those of the fields were that had a value."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One page."""

    user_id: str
    items: list[Item]
    next_cursor: str | None
    meta: Meta


async def tell_timeline(asking: Asking, question: Question, spec: UserTimelineSpec) -> Timeline:
    """Answer `user_timeline`."""
    user = question.bound.put(spec.user_id, "String")
    # The cursor belongs to the whole line, so all its parts go on behind it.
    calls = await _calls(asking, question, spec, user)
    actions = await _actions(asking, question, spec, user)
    changes = await _changes(asking, question, spec)
    items = list(heapq.merge(calls, actions, changes, key=_place, reverse=True))
    page = items[: spec.limit]
    following = write_cursor(TimeAndId(*_place(page[-1]))) if len(items) > spec.limit else None
    return Timeline(
        user_id=spec.user_id, items=page, next_cursor=following, meta=await asking.meta(question)
    )


async def _calls(
    asking: Asking, question: Question, spec: UserTimelineSpec, user: str
) -> list[Item]:
    rows, _ = await page_of_calls(
        asking, question, spec.limit + 1, spec.cursor, also=f"c.user_id = {user}"
    )
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
    asking: Asking, question: Question, spec: UserTimelineSpec, user: str
) -> list[Item]:
    if not can_be_asked(question):
        return []
    rows, _ = await page_of_actions(
        asking, question, spec.limit + 1, spec.cursor, also=f"c.user_id = {user}"
    )
    return [
        Item(time=row["time"], kind="action", id=row["action_id"], action=to_action(row))
        for row in rows
    ]


async def _changes(asking: Asking, question: Question, spec: UserTimelineSpec) -> list[Item]:
    """Return what changed in the profile; what visitors said who turned out to be the user, too."""
    visitors = await read_voices(asking.store, question.app_id, {spec.user_id})
    voices = [own_voice(spec.user_id), *visitors.get(spec.user_id, [])]
    put = question.bound.put
    sql = changes_sql(
        question.app,
        put("user", "String"),
        put([voice.id for voice in voices], "Array(String)"),
        put(bind_voices(voices), VOICES),
        question.start,
        question.end,
    )
    place = read_cursor(spec.cursor, TimeAndId) if spec.cursor else None
    found = [_to_item(change) for change in read_changes(await asking.ask(sql, question))]
    return sorted(_behind(found, place), key=_place, reverse=True)


def _behind(items: Iterable[Item], place: TimeAndId | None) -> list[Item]:
    return [item for item in items if place is None or _place(item) < (place.time, place.id)]


def _to_item(change: ProfileChange) -> Item:
    return Item(
        time=change.at,
        kind="profile",
        id=change.update_id,
        fields=change.fields,
        before=change.before,
    )


def _place(item: Item) -> tuple[datetime, str]:
    return item.time, item.id
