"""Show the exact messages that a run would send now.

In: a window, perhaps one user. Out: messages, and nothing written. What waits in the outbox comes
first, as it would on the wire. One user's message is made anew, even when it was delivered before.
"""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from headwater.base.errors import ConflictError, NotFoundError
from headwater.extensions import outbox
from headwater.extensions.connections import Opened
from headwater.extensions.contract import Item
from headwater.extensions.parts import Parts
from headwater.extensions.sync import make_items, make_new_items, read_users
from headwater.extensions.windows import Window, read_due_users
from headwater.workspace import suppressed_among

MOST_PREVIEWED = 1_000
Json = dict[str, Any]


async def preview_user(parts: Parts, opened: Opened, window: Window, user_id: str) -> list[Json]:
    """Return what would be sent of one user; raise `NotFoundError` for an unknown one."""
    return read_messages(await make_one(parts, opened, window, user_id))


async def preview_all(parts: Parts, opened: Opened, window: Window, limit: int) -> list[Json]:
    """Return at most `limit` messages of all users who are due."""
    waiting = await parts.configdb.run(outbox.read_payloads, window.connection_id, limit)
    messages: list[Json] = [msgspec.json.decode(payload) for payload in waiting]
    async with aclosing(read_due_users(parts.profiles, window)) as pages:
        async for page in pages:
            if len(messages) >= limit:
                break
            messages += read_messages(await make_new_items(parts, opened, window, page.user_ids))
    return messages[:limit]


def read_messages(items: Sequence[Item]) -> list[Json]:
    """Return messages as they are read."""
    return [msgspec.json.decode(item.payload) for item in items if item.payload is not None]


async def make_one(parts: Parts, opened: Opened, window: Window, user_id: str) -> list[Item]:
    """Return one user's messages; raise what stands against them."""
    people = await read_users(parts, window, [user_id])
    if not people:
        raise NotFoundError(f"There is no user {user_id!r} in this app.", field="user_id")
    never = await parts.configdb.run(suppressed_among, parts.vault, window.app.id, [user_id])
    if never:
        raise ConflictError(f"The user {user_id!r} is suppressed: never sent.", field="user_id")
    return await make_items(parts, opened, window, list(people.values()))
