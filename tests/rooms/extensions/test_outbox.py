"""A message enters the outbox once, whoever puts it there, and leaves when it is old and done."""

from datetime import timedelta

import sqlalchemy as sa

from headwater.extensions import outbox
from headwater.extensions.connections import get_connection
from headwater.extensions.contract import Item
from headwater.extensions.outbox import Lot
from headwater.extensions.packet import Limits
from tests.rooms.extensions.room import NOW, Room

LIMITS = Limits(items=100, size_bytes=475_000)


def item(number: int, user_id: str = "ann") -> Item:
    payload = b'{"messageId":"hw-%d","userId":"%b"}' % (number, user_id.encode())
    return Item(
        message_id=f"hw-{number}", user_id=user_id, subject=f"user:{user_id}", payload=payload
    )


async def a_lot(room: Room, name: str = "run_1", minutes: int = 0) -> Lot:
    id_ = (await room.configdb.run(get_connection, room.app.id, "segment")).id
    return Lot(connection_id=id_, name=name, at=NOW + timedelta(minutes=minutes))


def deliver(connection: sa.Connection, lot: Lot) -> None:
    for batch in outbox.take(connection, lot.connection_id, 10):
        outbox.settle(connection, lot.connection_id, batch, {}, NOW)


async def test_the_same_message_enters_once(room: Room) -> None:
    """Two processes may make it at the same time; its fate stays that of the first."""
    lot = await a_lot(room)
    for _ in range(2):
        await room.configdb.run(outbox.put_due, lot, [item(1), item(1)], LIMITS)
        await room.configdb.run(deliver, lot)
    assert await room.states() == {"delivered": 1}
    assert not await room.configdb.run(outbox.has_waiting, lot.connection_id)


async def test_a_sync_forgets_what_is_old_and_delivered(room: Room) -> None:
    """But not which window was the last: it never enters again. What waits stays."""
    lot = await a_lot(room)
    await room.configdb.run(outbox.put_due, lot, [item(1)], LIMITS)
    await room.configdb.run(deliver, lot)
    await room.configdb.run(outbox.put_due, lot, [item(2, "bo")], LIMITS)
    room.clock.move(timedelta(days=7, seconds=1))
    await room.sync()
    assert await room.states() == {"delivered": 1}
    await room.configdb.run(outbox.put_due, lot, [item(1), item(2, "bo")], LIMITS)
    assert await room.states() == {"delivered": 1}


async def test_lots_never_overtake_each_other(room: Room) -> None:
    """The older word about a user is on the wire alone until its fate is known."""
    first, second = await a_lot(room), await a_lot(room, "run_2", 1)
    await room.configdb.run(outbox.put_due, first, [item(1)], LIMITS)
    await room.configdb.run(outbox.put_due, second, [item(2)], LIMITS)
    (older,) = await room.configdb.run(outbox.take, first.connection_id, 10)
    assert await room.configdb.run(outbox.take, first.connection_id, 10, [older.id]) == []
    await room.configdb.run(outbox.settle, first.connection_id, older, {}, NOW)
    (newer,) = await room.configdb.run(outbox.take, first.connection_id, 10)
    assert newer.packet.payloads() == [item(2).payload]
