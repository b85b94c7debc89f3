"""The keeper: what every reader has passed goes when it is old, and nothing else ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import SetClock
from headwater.base.settings import EventLogSettings
from headwater.eventlog import LogKeeper, MemoryLog, Stream

SETTINGS = EventLogSettings(keep_consumed_s=3600, max_disk_bytes=2_000)


async def trimmed_to(slowest: int | None, *, entries: int = 10, size_bytes: int = 1) -> int:
    """Fill a log with one entry every ten minutes; return where it begins after one step."""
    clock = SetClock(datetime(2026, 1, 1, tzinfo=UTC))
    log = MemoryLog(clock)
    for _ in range(entries):
        await log.append(Stream.CALLS, b"x" * size_bytes)
        clock.move(timedelta(minutes=10))

    async def slowest_reader(stream: Stream) -> int | None:
        return slowest if stream is Stream.CALLS else None

    keeper = LogKeeper(log, slowest_reader, clock, SETTINGS)
    first = await keeper.step(Stream.CALLS)
    assert (await log.state(Stream.CALLS)).first_offset == first
    return first


async def test_old_and_passed_entries_go() -> None:
    """Of ten entries, ten minutes apart, all read, those of the last hour stay."""
    assert await trimmed_to(11) == 5


async def test_what_a_reader_still_needs_stays() -> None:
    """The slowest reader holds back everything after it, however old."""
    assert await trimmed_to(3) == 3


async def test_without_readers_nothing_goes() -> None:
    """A log that nobody has read yet is all news."""
    assert await trimmed_to(None) == 1


async def test_a_log_that_fills_up_keeps_only_what_is_needed() -> None:
    """Above half of the stream's share, passed entries go at any age: a full log refuses calls."""
    assert await trimmed_to(9, size_bytes=60) == 9
    assert await trimmed_to(9, size_bytes=40) == 5


@given(slowest=st.integers(1, 11), entries=st.integers(1, 10), size_bytes=st.integers(1, 200))
async def test_never_beyond_the_slowest_reader(slowest: int, entries: int, size_bytes: int) -> None:
    """Whatever the sizes and ages, no reader loses what it has not read."""
    slowest = min(slowest, entries + 1)
    assert await trimmed_to(slowest, entries=entries, size_bytes=size_bytes) <= slowest
