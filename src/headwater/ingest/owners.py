"""Name the users and companies of calls and actions that come without.

In: what a range of the log holds. Out: its links are learned, and the calls that lack a user or a
company have those that links tell. Safe to repeat with the same range.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from headwater.ingest.heads import Call, CallHead
from headwater.model import LinkRuling, ProfileUpdate
from headwater.profiles import Identity


async def put_owners(
    identity: Identity,
    calls: Sequence[Call],
    updates: Iterable[tuple[int, ProfileUpdate]],
    *,
    rulings: Sequence[LinkRuling] = (),
    offset: int,
) -> None:
    """Heed and learn what the range says, then put owners into calls; `offset` is its last."""
    # A thread leaves the event loop to those who wait for it.
    heads = await asyncio.to_thread(lambda: [_as_stored(call) for call in calls])
    await identity.heed(rulings, offset=offset)
    await identity.learn(heads, (update for _, update in updates), offset=offset)
    for place, owner in await identity.attribute(heads):
        head, added = heads[place], calls[place].added
        if not head.user_id:
            added.user_id, added.user_by = owner.user_id, owner.user_by
        if not head.company_id:
            added.company_id, added.company_by = owner.company_id, owner.company_by


def _as_stored(call: Call) -> CallHead:
    """Return the head with the time that the call is stored at: history is looked up by that."""
    time = call.changed.get("time") if call.changed else None
    return replace(call.head, time=time) if isinstance(time, datetime) else call.head
