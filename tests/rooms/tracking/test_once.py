"""Each message once, whatever clients, crashes and restarts do."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from headwater.base.clock import SetClock
from headwater.base.errors import UnavailableError
from headwater.base.settings import TrackingSettings
from headwater.configdb import ConfigDb, read_position
from headwater.eventlog import MemoryLog, Stream
from tests.support.tracking_door import Door


class MoodyLog(MemoryLog):
    """A log that stores an entry and yet refuses it, as one does whose answer is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.lies = 0

    async def append(self, stream: Stream, data: bytes) -> int:
        offset = await super().append(stream, data)
        if self.lies:
            self.lies -= 1
            raise UnavailableError("The answer was lost.")
        return offset


def item(message_id: str, **more: object) -> dict[str, object]:
    return {"type": "identify", "userId": "u", "messageId": message_id, **more}


async def ids(door: Door) -> Counter[str]:
    return Counter(message.message_id for message in await door.messages())


async def wait_until_marked(door: Door) -> None:
    async with asyncio.timeout(5):
        goal = (await door.log.state(Stream.MESSAGES)).last_offset
        while True:
            position = await door.configdb.run(read_position, "tracking")
            if position and position.next_offset > goal:
                return
            await asyncio.sleep(0.02)


async def test_a_repeat_is_acknowledged_and_not_stored(door: Door) -> None:
    """At once, in the same batch, and after the mark was written; the first content wins."""
    key = door.add_source().write_key
    batch = {"batch": [item("a", traits={"n": 1}), item("b"), item("a", traits={"n": 2})]}
    for _ in range(2):
        assert (await door.call("/v1/batch", batch, key)).status == 200
    await wait_until_marked(door)
    assert (await door.call("/v1/identify", item("a"), key)).status == 200
    assert await ids(door) == {"a": 1, "b": 1}
    assert (await door.messages())[0].body["traits"] == {"n": 1}


async def test_a_repeat_is_known_after_a_restart(configdb: ConfigDb, door: Door) -> None:
    """Whether its mark had been written or not."""
    key = door.add_source().write_key
    await door.call("/v1/identify", item("marked"), key)
    await wait_until_marked(door)
    await door.call("/v1/identify", item("unmarked"), key)
    await door.close()  # at once: the last mark is not written
    again = Door(configdb, door.log)
    await again.call("/v1/batch", {"batch": [item("marked"), item("unmarked"), item("new")]}, key)
    assert await ids(again) == {"marked": 1, "unmarked": 1, "new": 1}
    await again.close()


async def test_a_damaged_record_shuts_no_door(configdb: ConfigDb, door: Door) -> None:
    """Reading the log after a restart passes it over; what stands around it is known."""
    key = door.add_source().write_key
    await door.call("/v1/identify", item("a"), key)
    await door.close()
    (entry,) = await door.log.read(Stream.MESSAGES, 1, max_entries=1, max_bytes=1, wait_s=1)
    await door.log.append(Stream.MESSAGES, b'{"torn": \n' + entry.data.replace(b'"a"', b'"b"'))
    again = Door(configdb, door.log)
    batch = {"batch": [item("a"), item("b"), item("c")]}
    assert (await again.call("/v1/batch", batch, key)).status == 200
    assert len(await door.log.read(Stream.MESSAGES, 3, max_entries=9, max_bytes=9, wait_s=1)) == 1
    newest = (await door.log.read(Stream.MESSAGES, 3, max_entries=1, max_bytes=1, wait_s=1))[0]
    assert b'"c"' in newest.data
    assert b'"b"' not in newest.data
    await again.close()


async def test_ids_of_different_sources_do_not_meet(door: Door) -> None:
    """The same id from two sources is two messages."""
    for name in ("Shop", "Site"):
        await door.call("/v1/identify", item("a"), door.add_source(name).write_key)
    assert await ids(door) == {"a": 2}


async def test_equal_requests_at_the_same_time_are_stored_once(door: Door) -> None:
    """Fifty copies race; each is acknowledged, one is stored."""
    key = door.add_source().write_key
    batches = [{"batch": [item(f"{n % 7}"), item(f"{(n + 3) % 7}")]} for n in range(50)]
    answers = await asyncio.gather(*(door.call("/v1/batch", batch, key) for batch in batches))
    assert {answer.status for answer in answers} == {200}
    assert await ids(door) == {str(n): 1 for n in range(7)}


async def test_a_copy_is_not_acknowledged_for_a_message_that_was_lost(configdb: ConfigDb) -> None:
    """When the log fails for the first of two equal requests, neither gets a 200."""
    door = Door(configdb, MemoryLog(max_bytes=10))
    key = door.add_source().write_key
    answers = await asyncio.gather(*(door.call("/v1/identify", item("a"), key) for _ in range(2)))
    assert [answer.status for answer in answers] == [503, 503]
    await door.close()


async def test_a_lost_answer_of_the_log_does_not_double(configdb: ConfigDb) -> None:
    """The log stored it and could not say so: the client's retry is recognised."""
    log = MoodyLog()
    door = Door(configdb, log)
    key = door.add_source().write_key
    await door.call("/v1/identify", item("first"), key)
    log.lies = 1
    assert (await door.call("/v1/identify", item("a"), key)).status == 503
    assert (await door.call("/v1/identify", item("a"), key)).status == 200
    assert await ids(door) == {"first": 1, "a": 1}
    await door.close()


@pytest.mark.parametrize(
    ("after", "copies"), [(timedelta(days=7, seconds=-1), 1), (timedelta(days=7), 2)]
)
async def test_the_window_ends_after_seven_days(
    configdb: ConfigDb, after: timedelta, copies: int
) -> None:
    """One second before its end a repeat is known; at its end it is a new message."""
    clock = SetClock(datetime(2026, 11, 23, tzinfo=UTC))
    door = Door(configdb, MemoryLog(clock), clock, TrackingSettings(dedup_days=7))
    key = door.add_source().write_key
    await door.call("/v1/identify", item("a"), key)
    await wait_until_marked(door)
    clock.move(after)
    for _ in range(2):
        await door.call("/v1/identify", item("a"), key)
        await wait_until_marked(door)
    assert await ids(door) == {"a": copies}
    await door.close()


async def test_a_log_that_was_replaced_is_read_from_its_beginning(
    configdb: ConfigDb, door: Door
) -> None:
    """An old position beyond the new log's end must not leave new messages unmarked."""
    key = door.add_source().write_key
    for number in range(3):
        await door.call("/v1/identify", item(str(number)), key)
        await wait_until_marked(door)
    await door.close()
    fresh = Door(configdb, MemoryLog())
    await fresh.call("/v1/identify", item("x"), key)
    await wait_until_marked(fresh)
    await fresh.close()
    again = Door(configdb, fresh.log)
    await again.call("/v1/identify", item("x"), key)
    assert await ids(again) == {"x": 1}
    await again.close()
