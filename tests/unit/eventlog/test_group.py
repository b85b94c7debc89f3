"""Group commit: one entry for many requests, and no request pays for another."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import SetClock
from headwater.base.errors import TooLargeError, UnavailableError
from headwater.eventlog import MAX_ENTRY_BYTES, GroupCommit, MemoryLog, Stream, group, split_records

CLOCK = SetClock(datetime(2026, 1, 1, tzinfo=UTC))


class SlowLog(MemoryLog):
    """A log whose appends wait for a sign."""

    def __init__(self) -> None:
        super().__init__(CLOCK)
        self.go = asyncio.Event()
        self.begun = 0

    async def append(self, stream: Stream, data: bytes) -> int:
        self.begun += 1
        await self.go.wait()
        return await super().append(stream, data)


async def entries_of(log: MemoryLog) -> list[list[bytes]]:
    limits = {"max_entries": 10_000, "max_bytes": 10**9}
    found = await log.read(Stream.CALLS, 1, **limits, wait_s=0)
    return [split_records(entry.data) for entry in found]


async def test_requests_that_come_together_share_an_entry() -> None:
    """One fsync serves them all, and each gets the same offset."""
    log = MemoryLog(CLOCK)
    commit = GroupCommit(log, Stream.CALLS)
    offsets = await asyncio.gather(*(commit.append([b"%d" % n]) for n in range(20)))
    assert offsets == [1] * 20
    assert await entries_of(log) == [[b"%d" % n for n in range(20)]]


async def test_a_record_that_stands_alone_shares_its_entry_with_nothing() -> None:
    """Though others come at the same time, before it and behind it."""
    log = MemoryLog(CLOCK)
    commit = GroupCommit(log, Stream.CALLS)
    before, alone, behind = await asyncio.gather(
        commit.append([b"a"]), commit.append_alone(b"b"), commit.append([b"c"])
    )
    assert before == behind != alone
    assert sorted(await entries_of(log)) == [[b"a", b"c"], [b"b"]]


async def test_a_lonely_request_waits_only_for_its_company() -> None:
    """Without others a request is sent after the wait, not later."""
    commit = GroupCommit(MemoryLog(CLOCK), Stream.CALLS, wait_s=0.01)
    async with asyncio.timeout(1):
        assert await commit.append([b"a"]) == 1
        assert await commit.append([b"b", b"c"]) == 2


async def test_a_large_request_takes_several_entries_and_waits_for_all() -> None:
    """The offset returned is that of the last one."""
    log = MemoryLog(CLOCK)
    records = [b"x" * 200_000 for _ in range(5)]
    assert await GroupCommit(log, Stream.CALLS).append(records) == 3
    assert [len(entry) for entry in await entries_of(log)] == [2, 2, 1]


async def test_a_request_without_records_is_done() -> None:
    """Nothing to store is nothing to wait for."""
    log = MemoryLog(CLOCK)
    assert await GroupCommit(log, Stream.CALLS).append([]) == 0
    assert await entries_of(log) == []


async def test_one_who_leaves_takes_nothing_from_the_others() -> None:
    """A client that hangs up neither fails nor loses what shares its entry."""
    log = SlowLog()
    commit = GroupCommit(log, Stream.CALLS, wait_s=0)
    leaver = asyncio.create_task(commit.append([b"leaver"]))
    stayer = asyncio.create_task(commit.append([b"stayer"]))
    await asyncio.sleep(0.01)
    leaver.cancel()
    await asyncio.wait([leaver])
    assert leaver.cancelled()
    log.go.set()
    assert await stayer == 1
    assert await entries_of(log) == [[b"leaver", b"stayer"]]


async def test_a_giant_fails_alone() -> None:
    """A record that no entry can hold is refused before anything of its request is stored."""
    log = MemoryLog(CLOCK)
    commit = GroupCommit(log, Stream.CALLS)
    giant, other = await asyncio.gather(
        commit.append([b"a", b"x" * (MAX_ENTRY_BYTES + 1)]),
        commit.append([b"b"]),
        return_exceptions=True,
    )
    assert isinstance(giant, TooLargeError)
    assert other == 1
    assert await entries_of(log) == [[b"b"]]


async def test_a_big_record_has_an_entry_of_its_own() -> None:
    """What fits the log but not a group is stored all the same."""
    log = MemoryLog(CLOCK)
    await GroupCommit(log, Stream.CALLS).append([b"a", b"x" * 2_000_000, b"b"])
    assert [len(entry) for entry in await entries_of(log)] == [1, 1, 1]


async def test_a_refusal_reaches_all_who_waited_for_it_and_nobody_else() -> None:
    """A full log fails the requests of that entry; later ones have their own luck."""
    log = MemoryLog(CLOCK, max_bytes=10)
    commit = GroupCommit(log, Stream.CALLS)
    outcomes = await asyncio.gather(
        commit.append([b"123456"]), commit.append([b"123456"]), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [UnavailableError, UnavailableError]
    assert await commit.append([b"123"]) == 1


async def test_while_all_slots_are_taken_the_next_entry_fills() -> None:
    """A slow log gets fewer and larger entries, not a longer queue of small ones."""
    log = SlowLog()
    commit = GroupCommit(log, Stream.CALLS, wait_s=0)
    requests = []
    for number in range(50):
        requests.append(asyncio.create_task(commit.append([b"%d" % number])))
        await asyncio.sleep(0.001)
    assert log.begun == group.IN_FLIGHT
    log.go.set()
    await asyncio.gather(*requests)
    sizes = [len(entry) for entry in await entries_of(log)]
    assert len(sizes) <= group.IN_FLIGHT + 1
    assert sum(sizes) == 50


async def test_a_log_that_cannot_keep_up_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When too many bytes wait, new ones are refused at once, and the old ones go on."""
    monkeypatch.setattr(group, "MAX_WAITING_BYTES", 100)
    log = SlowLog()
    commit = GroupCommit(log, Stream.CALLS, wait_s=0)
    first = asyncio.create_task(commit.append([b"x" * 101]))
    await asyncio.sleep(0.01)
    with pytest.raises(UnavailableError):
        await commit.append([b"y"])
    log.go.set()
    assert await first == 1
    assert await commit.append([b"y"]) == 2


async def test_closing_waits_for_what_was_accepted() -> None:
    """The drain of a stopping server loses nothing, and lets nothing new in."""
    log = SlowLog()
    commit = GroupCommit(log, Stream.CALLS, wait_s=60)
    waiting = asyncio.create_task(commit.append([b"a"]))
    await asyncio.sleep(0)
    closing = asyncio.create_task(commit.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    log.go.set()
    await closing
    assert await waiting == 1
    with pytest.raises(UnavailableError):
        await commit.append([b"b"])


@given(
    requests=st.lists(
        st.lists(st.integers(min_value=0, max_value=300_000), max_size=4), min_size=1, max_size=12
    )
)
def test_every_record_is_stored_once_and_at_the_offset_told(requests: list[list[int]]) -> None:
    """Whatever the sizes: nothing lost, nothing twice, no entry above its size."""

    async def run() -> None:
        log = MemoryLog(CLOCK)
        commit = GroupCommit(log, Stream.CALLS, wait_s=0)
        named = [
            [b"%d-%d-" % (one, two) + b"x" * size for two, size in enumerate(sizes)]
            for one, sizes in enumerate(requests)
        ]
        offsets = await asyncio.gather(*(commit.append(records) for records in named))
        entries = await entries_of(log)
        stored = {record: at for at, entry in enumerate(entries, 1) for record in entry}
        assert sum(map(len, entries)) == len(stored) == sum(map(len, named))
        for records, offset in zip(named, offsets, strict=True):
            assert max((stored[record] for record in records), default=0) == offset
        assert all(len(entry) == 1 or len(b"\n".join(entry)) <= 512_000 for entry in entries)

    asyncio.run(run())


def test_an_empty_entry_holds_no_records() -> None:
    """The log's own check may leave one."""
    assert split_records(b"") == []
