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
from headwater.profiles import ProfileChange, read_changes


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A call (`event`), an action (`action`) or a change of the profile (`fields`)."""

    time: datetime
    kind: str
    id: str
    event: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    fields: dict[str, Any] | None = None


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
    changes = await _changes(asking, question, spec, user)
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


async def _changes(
    asking: Asking, question: Question, spec: UserTimelineSpec, user: str
) -> list[Item]:
    sql = (
        "SELECT state FROM profiles FINAL"
        f" WHERE app_id = {question.app} AND kind = 'user' AND id = {user}"
    )
    rows = await asking.ask(sql, question)
    place = read_cursor(spec.cursor, TimeAndId) if spec.cursor else None
    found = [_to_item(change) for row in rows for change in read_changes(row["state"].encode())]
    return sorted(_within(found, question, place), key=_place, reverse=True)


def _within(items: Iterable[Item], question: Question, place: TimeAndId | None) -> list[Item]:
    return [
        item
        for item in items
        if question.span.start <= item.time < question.span.end
        and (place is None or _place(item) < (place.time, place.id))
    ]


def _to_item(change: ProfileChange) -> Item:
    return Item(time=change.at, kind="profile", id=change.update_id, fields=change.fields)


def _place(item: Item) -> tuple[datetime, str]:
    return item.time, item.id
