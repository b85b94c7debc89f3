"""How long a range of the log waits to become one insert."""

import asyncio
from contextlib import suppress

from headwater.base.clock import SystemClock
from headwater.base.settings import IngestSettings
from headwater.eventlog import MemoryLog, Stream
from headwater.ingest.reader import RangeReader

SETTINGS = IngestSettings(batch_wait_s=0.05, batch_busy_wait_s=30.0, batch_events=20_000)
CLOCK = SystemClock()
ENTRIES = 40


TABLE = b'{"t":"table","rows":5000}'


def _calls(count: int) -> bytes:
    return b"\n".join([b"{}"] * count)


async def _taken_while_coming(entry: bytes) -> int:
    """Return how many entries one batch takes, while one more comes every hundredth second."""
    log = MemoryLog(CLOCK)

    async def keep_coming() -> None:
        for _ in range(ENTRIES):
            await log.append(Stream.CALLS, entry)
            await asyncio.sleep(0.01)

    coming = asyncio.create_task(keep_coming())
    taken = await RangeReader(log, CLOCK, SETTINGS).take(1)
    coming.cancel()
    with suppress(asyncio.CancelledError):
        await coming
    return len(taken.entries)


async def test_few_calls_do_not_wait_for_more() -> None:
    """A trickle is stored soon, though it never ends."""
    assert 0 < await _taken_while_coming(_calls(1)) < ENTRIES


async def test_many_calls_wait_until_an_insert_is_full() -> None:
    """An insert has its price, whatever it holds: while calls keep coming, it fills."""
    assert await _taken_while_coming(_calls(500)) == ENTRIES


async def test_tables_do_not_wait_until_an_insert_is_full() -> None:
    """Each is an insert's worth, and somebody waits for the last one: the import."""
    assert 0 < await _taken_while_coming(TABLE) < 20
