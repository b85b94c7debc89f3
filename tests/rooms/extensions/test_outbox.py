"""A message enters the outbox once, whoever puts it there, and leaves when it is old and done."""

from datetime import timedelta

from headwater.extensions.segment import outbox
from headwater.extensions.segment.connection import get_connection
from headwater.extensions.segment.outbox import Item
from tests.rooms.extensions.room import NOW, Room

ITEM = Item(message_id="hw-1", user_id="ann", payload=b"{}")


async def test_the_same_message_enters_once(room: Room) -> None:
    """Two processes may make it at the same time; its fate stays that of the first."""
    id_ = (await room.configdb.run(get_connection, room.app.id)).id
    for _ in range(2):
        await room.configdb.run(outbox.put_due, id_, "run_1", [ITEM, ITEM], NOW)
        await room.configdb.run(outbox.mark_delivered, id_, [ITEM.message_id], NOW)
    assert await room.states() == {"delivered": 1}
    assert await room.configdb.run(outbox.read_waiting, id_, 10) == []


async def test_a_sync_forgets_what_is_old_and_delivered(room: Room) -> None:
    """Its window cannot be made again, since the day is part of the id; what waits stays."""
    id_ = (await room.configdb.run(get_connection, room.app.id)).id
    waits = Item(message_id="hw-2", user_id="bo", payload=b'{"userId":"bo"}')
    await room.configdb.run(outbox.put_due, id_, "run_1", [ITEM, waits], NOW)
    await room.configdb.run(outbox.mark_delivered, id_, [ITEM.message_id], NOW)
    room.clock.move(timedelta(days=7, seconds=1))
    await room.segment.sync(room.app)
    assert await room.states() == {"delivered": 1}
    assert await room.configdb.run(outbox.known_ids, id_, ["hw-1", "hw-2"]) == {"hw-2"}
