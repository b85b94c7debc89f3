"""Milestones that time brings, and those that calls bring, each told once."""

from datetime import timedelta
from typing import Any

from headwater.extensions.connections import save_connection
from headwater.extensions.segment.milestones import DORMANT, RESURRECTED, SPIKED
from headwater.extensions.segment.settings import SegmentSettings
from tests.rooms.extensions.room import KEY, NOW, YESTERDAY, Room, messages, users
from tests.rooms.profiles.history import Call
from tests.support.webhook import Receiver

DAY = timedelta(days=1)
HOW_MANY = (("ann", 60), ("bob", 1))


def listen(room: Room, receiver: Receiver, *milestones: str) -> None:
    settings = SegmentSettings(endpoint=receiver.url, milestones=milestones)
    with room.configdb.transaction() as connection:
        save_connection(connection, room.vault, room.clock, room.app.id, "segment", settings, KEY)


def told(receiver: Receiver) -> list[tuple[Any, ...]]:
    return [(m["event"], m["userId"]) for m in messages(receiver) if m["type"] == "track"]


async def test_time_alone_makes_dormant_users_due(room: Room, receiver: Receiver) -> None:
    """On the day after, those who fell silent and nobody else; then never again."""
    listen(room, receiver, DORMANT, RESURRECTED)
    await room.store_users("ann", at=YESTERDAY - 27 * DAY)
    await room.store_users("bob", at=YESTERDAY - 20 * DAY)
    await room.store_users("old", at=YESTERDAY - 200 * DAY)
    await room.sync()
    assert (users(receiver), told(receiver)) == (["ann", "bob", "old"], [])
    room.clock.move(2 * DAY)
    receiver.received.clear()
    await room.sync()
    assert users(receiver) == ["ann", "ann"]
    assert told(receiver) == [(DORMANT, "ann")]
    receiver.received.clear()
    await room.sync(full=True)
    room.clock.move(DAY)
    await room.sync()
    assert told(receiver) == []
    await room.store_users("ann", at=NOW + 2 * DAY)
    await room.sync()
    await room.sync(full=True)
    assert told(receiver) == [(RESURRECTED, "ann")]


async def test_nobody_ages_where_nobody_asked(room: Room, receiver: Receiver) -> None:
    """Without the milestone a day that passes sends nothing."""
    await room.store_users("ann", at=YESTERDAY - 27 * DAY)
    await room.sync()
    room.clock.move(2 * DAY)
    receiver.received.clear()
    await room.sync()
    assert users(receiver) == []


async def test_a_spike_is_told_while_it_lasts(room: Room, receiver: Receiver) -> None:
    """By the numbers of the user alone, once for the day, however often it is looked at."""
    listen(room, receiver, SPIKED)
    usual = [
        Call(user_id="ann", time=YESTERDAY - 3 * DAY, weight=100),
        Call(user_id="bob", time=NOW),
    ]
    await room.store_calls(*usual)
    await room.sync()
    assert told(receiver) == []
    for n in range(3):
        lately = NOW - timedelta(hours=1)
        wrong = [Call(user_id=id_, time=lately, status=500, weight=w) for id_, w in HOW_MANY]
        await room.store_calls(*wrong)
        await room.sync()
        assert told(receiver) == ([(SPIKED, "ann")] if n else [])
