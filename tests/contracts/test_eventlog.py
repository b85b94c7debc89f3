"""What every `EventLog` promises, tried on each one we ship."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from headwater.base.errors import CorruptError, TooLargeError, UnavailableError
from headwater.base.settings import EventLogSettings
from headwater.eventlog import (
    MAX_ENTRY_BYTES,
    Entry,
    EventLog,
    MemoryLog,
    Stream,
    open_event_log,
)
from headwater.eventlog.nats import NatsLog
from headwater.eventlog.streams import stream_name

SMALL_LOG_BYTES = 4_000_000


class LogOnTrial(msgspec.Struct):
    """A log, and a way to harm it."""

    log: EventLog
    lose: Callable[[Stream, int], Awaitable[None]]

    async def append(self, *texts: str, stream: Stream = Stream.CALLS) -> list[int]:
        return [await self.log.append(stream, text.encode()) for text in texts]

    async def read(self, first: int, stream: Stream = Stream.CALLS, **limits: float) -> list[Entry]:
        wanted = {"max_entries": 1_000, "max_bytes": 1_000_000, "wait_s": 0.0} | limits
        return await self.log.read(stream, first, **wanted)  # type: ignore[arg-type]


def _noise(size: int) -> str:
    """Return text that hardly packs: limits count what is kept."""
    return base64.b64encode(os.urandom(size))[:size].decode()


def memory_on_trial() -> LogOnTrial:
    log = MemoryLog(max_bytes=SMALL_LOG_BYTES // 2)

    async def lose(stream: Stream, offset: int) -> None:
        del log._streams[stream].entries[offset]

    return LogOnTrial(log, lose)


async def nats_on_trial(folder: Path) -> LogOnTrial:
    log = await open_event_log(EventLogSettings(max_disk_bytes=SMALL_LOG_BYTES), folder)
    assert isinstance(log, NatsLog)

    async def lose(stream: Stream, offset: int) -> None:
        session = await log._link.session()
        await session.jetstream.delete_msg(stream_name(stream), offset)
        log._tails[stream].clear()  # as after a restart

    return LogOnTrial(log, lose)


@pytest.fixture(params=["memory", "nats"])
async def trial(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LogOnTrial]:
    trial = memory_on_trial() if request.param == "memory" else await nats_on_trial(tmp_path)
    yield trial
    await trial.log.close()


async def append_until_refused(trial: LogOnTrial) -> int:
    for accepted in range(20):
        try:
            await trial.append(_noise(400_000))
        except UnavailableError:
            return accepted
    pytest.fail("a log of 2 MB took 8 MB")


async def test_an_empty_log_begins_at_one(trial: LogOnTrial) -> None:
    """The first reader of a new log asks for offset 1 and waits."""
    state = await trial.log.state(Stream.CALLS)
    assert (state.first_offset, state.last_offset, state.deleted) == (1, 0, 0)
    assert await trial.read(1) == []


async def test_what_was_appended_is_read_in_order(trial: LogOnTrial) -> None:
    """Offsets count up by one, and the bytes come back as they were."""
    assert await trial.append("a", "b", "c\nd") == [1, 2, 3]
    entries = await trial.read(1)
    assert [(entry.offset, entry.data) for entry in entries] == [(1, b"a"), (2, b"b"), (3, b"c\nd")]


async def test_an_empty_entry_is_an_entry(trial: LogOnTrial) -> None:
    """No bytes are bytes too."""
    await trial.append("", "x")
    assert [entry.data for entry in await trial.read(1)] == [b"", b"x"]


async def test_an_entry_knows_when_it_came(trial: LogOnTrial) -> None:
    """Times are aware, and of now."""
    await trial.append("a")
    (entry,) = await trial.read(1)
    assert abs((datetime.now(UTC) - entry.appended_at).total_seconds()) < 60


async def test_appends_at_the_same_time_all_count(trial: LogOnTrial) -> None:
    """Fifty writers get fifty offsets, each its own."""
    offsets = await asyncio.gather(
        *(trial.log.append(Stream.CALLS, str(number).encode()) for number in range(50))
    )
    by_offset = {entry.offset: entry.data for entry in await trial.read(1)}
    assert by_offset == {offset: str(number).encode() for number, offset in enumerate(offsets)}


async def test_streams_do_not_mix(trial: LogOnTrial) -> None:
    """Calls and messages have offsets of their own."""
    await trial.append("call")
    await trial.append("message", stream=Stream.MESSAGES)
    assert [entry.data for entry in await trial.read(1)] == [b"call"]
    assert [entry.data for entry in await trial.read(1, Stream.MESSAGES)] == [b"message"]


async def test_a_read_begins_where_it_is_told(trial: LogOnTrial) -> None:
    """Readers keep their own position, and may read again."""
    await trial.append("a", "b", "c")
    for _ in range(2):
        assert [entry.offset for entry in await trial.read(2)] == [2, 3]


async def test_a_read_never_brings_more_entries_than_asked(trial: LogOnTrial) -> None:
    """A batch has its limit, and the next read goes on from there."""
    await trial.append(*"abcde")
    assert [entry.offset for entry in await trial.read(1, max_entries=2)] == [1, 2]
    assert [entry.offset for entry in await trial.read(3, max_entries=2)] == [3, 4]


async def test_a_read_is_bounded_in_bytes_but_brings_one_at_least(trial: LogOnTrial) -> None:
    """A reader with a small limit still gets through a large entry, however well it packs."""
    for texts in ("x" * 10_000, "y" * 10_000, "z" * 10_000), [_noise(10_000) for _ in range(3)]:
        [first, *_] = await trial.append(*texts)
        assert [entry.offset for entry in await trial.read(first, max_bytes=1)] == [first]
        assert len(await trial.read(first, max_bytes=15_000)) in {1, 2}


async def test_a_waiting_reader_gets_the_next_entry_at_once(trial: LogOnTrial) -> None:
    """Silence ends with the first append, not with the wait."""
    await trial.append("a")
    reader = asyncio.create_task(trial.read(2, wait_s=30.0))
    await asyncio.sleep(0.1)
    assert not reader.done()
    await trial.append("b")
    async with asyncio.timeout(5):
        assert [entry.data for entry in await reader] == [b"b"]


async def test_a_reader_waits_no_longer_than_told(trial: LogOnTrial) -> None:
    """Silence is an answer."""
    async with asyncio.timeout(5):
        assert await trial.read(1, wait_s=0.2) == []


async def test_trimming_forgets_the_old_and_keeps_the_rest(trial: LogOnTrial) -> None:
    """What every reader has passed may go; a second trim changes nothing."""
    await trial.append(*"abcde")
    for _ in range(2):
        await trial.log.trim(Stream.CALLS, 4)
        state = await trial.log.state(Stream.CALLS)
        assert (state.first_offset, state.last_offset, state.deleted) == (4, 5, 0)
    assert [entry.data for entry in await trial.read(4)] == [b"d", b"e"]


async def test_an_offset_never_comes_twice(trial: LogOnTrial) -> None:
    """Even a log trimmed to nothing, and beyond its end, goes on counting."""
    await trial.append(*"abc")
    await trial.log.trim(Stream.CALLS, 99)
    state = await trial.log.state(Stream.CALLS)
    assert (state.first_offset, state.last_offset) == (4, 3)
    assert await trial.read(4) == []
    assert await trial.append("d") == [4]
    assert [entry.data for entry in await trial.read(4)] == [b"d"]


async def test_reading_what_was_trimmed_is_an_error(trial: LogOnTrial) -> None:
    """A reader that comes too late is told, and not given the rest as if it were all."""
    await trial.append(*"abc")
    await trial.log.trim(Stream.CALLS, 3)
    with pytest.raises(CorruptError):
        await trial.read(2)


async def test_reading_beyond_the_end_is_an_error(trial: LogOnTrial) -> None:
    """A reader ahead of the log means that the log lost its tail."""
    await trial.append(*"abc")
    with pytest.raises(CorruptError):
        await trial.read(5)


async def test_a_gap_is_never_stepped_over(trial: LogOnTrial) -> None:
    """The entries before a lost one are given, and then the loss is told."""
    await trial.append(*"abcde")
    await trial.lose(Stream.CALLS, 3)
    assert [entry.offset for entry in await trial.read(1)] == [1, 2]
    with pytest.raises(CorruptError, match="3"):
        await trial.read(3)
    assert [entry.offset for entry in await trial.read(4)] == [4, 5]
    assert (await trial.log.state(Stream.CALLS)).deleted == 1


async def test_a_lost_tail_is_told(trial: LogOnTrial) -> None:
    """The last entry may be the lost one."""
    await trial.append(*"abc")
    await trial.lose(Stream.CALLS, 3)
    with pytest.raises(CorruptError):
        await trial.read(3)


async def test_what_is_at_hand_is_what_the_server_holds(trial: LogOnTrial) -> None:
    """Entries that were just sent are not fetched; fetched, they are the same."""
    await trial.append("a\nb", "c", _noise(400_000), "d")
    at_hand = await trial.read(1)
    if isinstance(trial.log, NatsLog):
        trial.log._tails[Stream.CALLS].clear()  # as after a restart
    fetched = await trial.read(1)
    assert [(e.offset, e.data, e.records) for e in fetched] == [
        (e.offset, e.data, e.records) for e in at_hand
    ]
    assert len(at_hand) == 4


async def test_a_trimmed_entry_is_not_at_hand(trial: LogOnTrial) -> None:
    """What the log forgot is not read, though it was here a moment ago."""
    await trial.append(*"abc")
    await trial.log.trim(Stream.CALLS, 3)
    with pytest.raises(CorruptError):
        await trial.read(2)
    assert [entry.offset for entry in await trial.read(3)] == [3]


async def test_too_large_an_entry_is_refused_and_a_large_one_passes(trial: LogOnTrial) -> None:
    """The limit is the same for every log."""
    with pytest.raises(TooLargeError):
        await trial.log.append(Stream.CALLS, b"x" * (MAX_ENTRY_BYTES + 1))
    await trial.append(_noise(1_500_000))
    assert len((await trial.read(1))[0].data) == 1_500_000


async def test_a_full_log_refuses_and_forgets_nothing(trial: LogOnTrial) -> None:
    """At its size limit the log says no, keeps what it has, and goes on after a trim."""
    accepted = await append_until_refused(trial)
    kept = await trial.read(1, max_bytes=9_000_000)
    assert [entry.offset for entry in kept] == list(range(1, accepted + 1))
    await trial.log.trim(Stream.CALLS, accepted)
    assert await trial.append("again") == [accepted + 1]


async def test_a_good_log_passes_its_check(trial: LogOnTrial) -> None:
    """The check writes, and leaves no trace in the streams."""
    await trial.log.check()
    assert (await trial.log.state(Stream.CALLS)).last_offset == 0
