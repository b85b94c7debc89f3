"""Keep the log in memory: for tests and trials, with the behaviour of the real one.

In: bytes. Out: offsets. Nothing survives the process.
"""

import asyncio

import msgspec

from headwater.base.clock import Clock, SystemClock
from headwater.base.errors import CorruptError, TooLargeError, UnavailableError
from headwater.eventlog.port import MAX_ENTRY_BYTES, Entry, LogState, Stream


class _Kept(msgspec.Struct):
    """One stream: entries by offset, and the offset before the oldest one kept."""

    entries: dict[int, Entry] = {}
    trimmed: int = 0
    last: int = 0
    size_bytes: int = 0


class MemoryLog:
    """An `EventLog` without a disk; at `max_bytes` a stream refuses new entries."""

    def __init__(self, clock: Clock | None = None, *, max_bytes: int = 1_000_000_000) -> None:
        self._clock = clock or SystemClock()
        self._max_bytes = max_bytes
        self._streams = {stream: _Kept() for stream in Stream}
        self._news = asyncio.Condition()
        self._closed = False

    async def append(self, stream: Stream, data: bytes) -> int:
        if len(data) > MAX_ENTRY_BYTES:
            raise TooLargeError(f"A log entry holds {MAX_ENTRY_BYTES} bytes at most.")
        kept = self._streams[stream]
        if kept.size_bytes + len(data) > self._max_bytes:
            raise UnavailableError("The log refused an entry: it is full.")
        await self.check()
        async with self._news:
            kept.last += 1
            kept.entries[kept.last] = Entry(kept.last, data, self._clock.now())
            kept.size_bytes += len(data)
            self._news.notify_all()
        return kept.last

    async def read(
        self, stream: Stream, first: int, *, max_entries: int, max_bytes: int, wait_s: float
    ) -> list[Entry]:
        await self.check()
        kept = self._streams[stream]
        if not kept.trimmed < first <= kept.last + 1:
            raise CorruptError(
                f"Offset {first} of {stream} is outside of the log, which holds "
                f"{kept.trimmed + 1} to {kept.last}."
            )
        await self._wait_until_longer(kept, first, wait_s)
        if first <= kept.last and first not in kept.entries:
            raise CorruptError(f"Entry {first} of {stream} is missing from the log.")
        return _take_run(kept, first, max_entries, max_bytes)

    async def state(self, stream: Stream) -> LogState:
        await self.check()
        kept = self._streams[stream]
        return LogState(
            first_offset=kept.trimmed + 1,
            last_offset=kept.last,
            deleted=kept.last - kept.trimmed - len(kept.entries),
            bytes_on_disk=kept.size_bytes,
        )

    async def trim(self, stream: Stream, keep_from: int) -> None:
        await self.check()
        kept = self._streams[stream]
        for offset in range(kept.trimmed + 1, min(keep_from, kept.last + 1)):
            entry = kept.entries.pop(offset, None)
            kept.size_bytes -= len(entry.data) if entry else 0
            kept.trimmed = offset

    async def check(self) -> None:
        if self._closed:
            raise UnavailableError("The log was closed.")

    async def close(self) -> None:
        self._closed = True

    async def _wait_until_longer(self, kept: _Kept, first: int, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s), self._news:
                await self._news.wait_for(lambda: kept.last >= first)
        except TimeoutError:
            return


def _take_run(kept: _Kept, first: int, max_entries: int, max_bytes: int) -> list[Entry]:
    run: list[Entry] = []
    size_bytes = 0
    for offset in range(first, min(first + max_entries, kept.last + 1)):
        entry = kept.entries.get(offset)
        size_bytes += len(entry.data) if entry else 0
        if entry is None or (run and size_bytes > max_bytes):
            break
        run.append(entry)
    return run
