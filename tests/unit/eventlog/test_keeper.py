"""The keeper: what every reader has passed goes when it is old, and nothing else ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import SetClock
from headwater.base.settings import EventLogSettings
from headwater.eventlog import LogKeeper, MemoryLog, Progress, Stream

SETTINGS = EventLogSettings(keep_consumed_s=3600, keep_unread_s=5000, max_disk_bytes=2_000)


async def trimmed_to(
    slowest: int | None, *, strict: int | None = None, entries: int = 10, size_bytes: int = 1
) -> int:
    """Fill a log with one entry every ten minutes; return where it begins after one step."""
    clock = SetClock(datetime(2026, 1, 1, tzinfo=UTC))
    log = MemoryLog(clock)
    for _ in range(entries):
        await log.append(Stream.CALLS, b"x" * size_bytes)
        clock.move(timedelta(minutes=10))

    async def read_progress(stream: Stream) -> Progress | None:
        if stream is not Stream.CALLS or slowest is None:
            return None
        return Progress(slowest, slowest if strict is None else strict)

    keeper = LogKeeper(log, read_progress, clock, SETTINGS)
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


async def test_a_patient_reader_is_waited_for_until_patience_ends() -> None:
    """What a warehouse has not read goes when it is old enough, up to the strict readers' place."""
    assert await trimmed_to(1, strict=11) == 3
    assert await trimmed_to(1, strict=2) == 2
    assert await trimmed_to(0, strict=11) == 3
    assert await trimmed_to(7, strict=11) == 5, "what is read stays as long as ever"


async def test_a_crowded_log_lets_unread_entries_go_a_tenth_at_a_time() -> None:
    """Above four fifths a warehouse must not stop what comes in; below it is waited for."""
    assert await trimmed_to(5, strict=11, size_bytes=90) == 6
    assert await trimmed_to(5, strict=11, size_bytes=70) == 5
    assert await trimmed_to(5, strict=5, size_bytes=90) == 5


@given(slowest=st.integers(1, 11), entries=st.integers(1, 10), size_bytes=st.integers(1, 200))
async def test_never_beyond_the_slowest_reader(slowest: int, entries: int, size_bytes: int) -> None:
    """Whatever the sizes and ages, no reader loses what it has not read."""
    slowest = min(slowest, entries + 1)
    assert await trimmed_to(slowest, entries=entries, size_bytes=size_bytes) <= slowest
