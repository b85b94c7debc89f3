"""A program that syncs twelve users and dies where HEADWATER_CRASH_AT says.

It is run again until it ends well. Pages and batches are small, so that there are several of each.
"""

import asyncio
import sys
from pathlib import Path

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.extensions import windows
from headwater.extensions.packet import Limits
from headwater.extensions.segment import Segment
from tests.rooms.extensions.room import Room

USERS = tuple(f"user-{n:02}" for n in range(12))


async def main(data: Path, url: str) -> None:
    windows.PAGE_USERS = 5
    Segment.limits = Limits(items=2, size_bytes=475_000)
    store = EventStore.open(EventStoreSettings(), data)
    room = Room(store, data)
    if not (data / "filled").exists():
        room.connect(url)
        await room.store_users(*USERS)
        (data / "filled").touch()
    await room.sync()
    await room.close()
    store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
