"""Show the exact messages that a run would send now.

In: a window, perhaps one user. Out: messages, and nothing written. What waits in the outbox comes
first, as it would on the wire. One user's message is shown even when it was delivered before.
"""

from contextlib import aclosing

import msgspec

from headwater.base.errors import NotFoundError
from headwater.configdb import ConfigDb
from headwater.extensions.segment.identify import Json
from headwater.extensions.segment.messages import make_messages, make_new_messages
from headwater.extensions.segment.outbox import Item, read_waiting
from headwater.extensions.segment.windows import Window, read_due_users
from headwater.profiles import Profiles


async def preview_user(
    profiles: Profiles, configdb: ConfigDb, window: Window, user_id: str
) -> list[Json]:
    """Return what would be sent of one user; raise `NotFoundError` for an unknown one."""
    waiting = await configdb.run(read_waiting, window.connection.id, 100, user_id=user_id)
    people = await profiles.people(window.app.id, [user_id])
    if not people:
        raise NotFoundError(f"There is no user {user_id!r} in this app.", field="user_id")
    made = await make_messages(profiles, window, list(people.values()))
    known = {item.message_id for item in waiting}
    return _read([*waiting, *(item for item in made if item.message_id not in known)])


async def preview_all(
    profiles: Profiles, configdb: ConfigDb, window: Window, limit: int
) -> list[Json]:
    """Return at most `limit` messages of all users who are due."""
    items = await configdb.run(read_waiting, window.connection.id, limit)
    async with aclosing(read_due_users(profiles, window)) as pages:
        async for page in pages:
            if len(items) >= limit:
                break
            items += await make_new_messages(profiles, configdb, window, page.user_ids)
    return _read(items[:limit])


def _read(items: list[Item]) -> list[Json]:
    return [msgspec.json.decode(item.payload) for item in items if item.payload is not None]
