"""Find who is in a cohort: users who meet all its conditions now.

In: an app, conditions. Out: pages of people, or how many they are. Reads profiles, page by page, so
that memory does not grow with the number of users; a cohort that few belong to still costs a look
at everybody. Suppressed users belong to it, too: they are merely never sent.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec

from headwater.extensions.audience import (
    Condition,
    also_wanted,
    ask_of_profiles_alone,
    choose_people,
    choose_users,
)
from headwater.extensions.parts import Parts
from headwater.extensions.people import Wanted, gather_people
from headwater.extensions.windows import Page, Window, read_due_users
from headwater.profiles import Person, last_complete_day
from headwater.workspace import App

MOST_LOOKED_AT = 20_000
"""Users, for one page of members."""
_NOTHING = Wanted(day=False, standing=False)


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """Some of those who are in a cohort, by id."""

    users: list[Person]
    next_cursor: str | None
    """Where to look on; None when everybody was looked at."""


async def page_members(
    parts: Parts, app: App, conditions: Sequence[Condition], limit: int, above: str
) -> Members:
    """Return the first members whose ids come after `above`.

    Fewer than `limit`, perhaps none, when few of very many users are members: nobody waits until
    all were looked at.
    """
    found: list[Person] = []
    looked_at = 0
    async with aclosing(_read(parts, app, conditions, above)) as pages:
        async for page, members in pages:
            found += members
            looked_at += len(page.user_ids)
            if len(found) > limit:
                return Members(users=found[:limit], next_cursor=found[limit - 1].id)
            if looked_at >= MOST_LOOKED_AT and not page.is_last:
                return Members(users=found, next_cursor=page.user_ids[-1])
    return Members(users=found, next_cursor=None)


async def count_members(parts: Parts, app: App, conditions: Sequence[Condition]) -> int:
    """Return how many users meet all conditions."""
    count = 0
    async with aclosing(_read(parts, app, conditions, "")) as pages:
        async for _, members in pages:
            count += len(members)
    return count


async def _read(
    parts: Parts, app: App, conditions: Sequence[Condition], above: str
) -> AsyncGenerator[tuple[Page, list[Person]]]:
    window = _everybody(parts, app)
    wanted = also_wanted(conditions, _NOTHING)
    async with aclosing(read_due_users(parts.profiles, window, above=above)) as pages:
        async for page in pages:
            yield page, await _choose(parts, window, conditions, wanted, page)


async def _choose(
    parts: Parts, window: Window, conditions: Sequence[Condition], wanted: Wanted, page: Page
) -> list[Person]:
    people = await parts.profiles.people(window.app.id, page.user_ids, standing=wanted.standing)
    users = choose_users(conditions, sorted(people.values(), key=lambda one: one.id), window.now)
    if not users or ask_of_profiles_alone(conditions):
        return users
    gathered = await gather_people(parts.profiles, window, users, wanted)
    return list(choose_people(conditions, gathered).users)


def _everybody(parts: Parts, app: App) -> Window:
    now = parts.clock.now()
    day = last_complete_day(now, app.timezone)
    return Window(
        app=app, connection_id="", target="", now=now, upto=0, day=day, after=0, after_day="",
        full=True,
    )  # fmt: skip
