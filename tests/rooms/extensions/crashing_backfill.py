"""A program that sends three days of five users and dies where HEADWATER_CRASH_AT says.

It is run again until it ends well. Pages are small, so that each day has several.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.extensions import windows
from tests.rooms.extensions.room import YESTERDAY, Room
from tests.rooms.profiles.history import Call

USERS = tuple(f"user-{n}" for n in range(5))


async def main(data: Path, url: str) -> None:
    windows.PAGE_USERS = 2
    store = EventStore.open(EventStoreSettings(), data)
    room = Room(store, data)
    if not (data / "filled").exists():
        room.connect(url)
        days = [YESTERDAY - timedelta(days=back) for back in range(3)]
        await room.store_calls(*(Call(user_id=id_, time=at) for id_ in USERS for at in days))
        await room.extensions.backfill(room.app, "segment", "2026-11-20", "2026-11-22")
        # A run that has just been: the schedule has nothing to do.
        room.note_run()
        (data / "filled").touch()
    while await room.extensions.step():
        pass
    await room.close()
    store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
