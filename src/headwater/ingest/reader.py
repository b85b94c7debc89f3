"""Read ranges of the log: new ones up to the size of a batch, begun ones exactly as they were.

In: offsets. Out: entries in order. Missing entries are never passed over in silence: they raise
`CorruptError`, or, where the operator allows it, are counted and logged.
"""

import asyncio
import math
from collections.abc import Sequence

from headwater.base.clock import Clock
from headwater.base.errors import CorruptError
from headwater.base.settings import IngestSettings
from headwater.base.telemetry import LOG_GAPS, get_logger
from headwater.eventlog import Entry, EventLog, Stream
from headwater.ingest.tables import weigh_table

_ENTRIES_PER_READ = 64
_MANY_ENTRIES = _ENTRIES_PER_READ // 2
_READS_PER_WAIT = 5
_BUSY_EVENTS = 1_000
"""So many calls in one short wait are no trickle."""
_logger = get_logger("ingest")


class RangeReader:
    """Reads the `calls` stream."""

    def __init__(self, log: EventLog, clock: Clock, settings: IngestSettings) -> None:
        self._log = log
        self._clock = clock
        self._settings = settings

    async def take(self, first: int) -> "Taken":
        """Return what has come since `first`: a full batch, or less after a while.

        Few calls wait for `batch_wait_s`, so that they are seen soon. Many, that keep coming, wait
        for `batch_busy_wait_s`: an insert has its price, whatever it holds.
        """
        return await self._take(first, self._settings.batch_wait_s, self._clock.monotonic_s())

    async def take_full(self, first: int) -> "Taken | None":
        """Return a batch if a full one has come already."""
        taken = await self._take(first, 0, math.inf)
        return taken if taken.is_full else None

    async def _take(self, first: int, wait_s: float, began_s: float) -> "Taken":
        taken = Taken(self._settings)
        more = await self._read(first, _ENTRIES_PER_READ, wait_s)
        while taken.add(more):
            most_s = self._settings.batch_busy_wait_s if taken.is_busy else wait_s
            left_s = began_s + max(wait_s, most_s) - self._clock.monotonic_s()
            if left_s <= 0:
                break
            if len(more) < _MANY_ENTRIES:
                # Else each entry would be asked for by itself, the moment it comes.
                pause_s = min(left_s, wait_s / _READS_PER_WAIT)
                await asyncio.sleep(pause_s)
                left_s -= pause_s
            following = taken.entries[-1].offset + 1
            more = await self._read(following, _ENTRIES_PER_READ, min(left_s, wait_s))
        return taken

    async def take_again(self, first: int, last: int) -> list[Entry]:
        """Return the entries of a range that was begun before."""
        taken: list[Entry] = []
        following = first
        while following <= last:
            read = await self._read(following, last - following + 1, self._settings.batch_wait_s)
            taken += [entry for entry in read if entry.offset <= last]
            following = read[-1].offset + 1 if read else following
        return taken

    async def lag(self, last: int) -> int:
        """Return how many entries came after `last`."""
        return (await self._log.state(Stream.CALLS)).last_offset - last

    async def first_offset(self) -> int:
        """Return where a reader begins that never read."""
        return (await self._log.state(Stream.CALLS)).first_offset

    async def _read(self, first: int, max_entries: int, wait_s: float) -> list[Entry]:
        try:
            return await self._read_run(first, max_entries, wait_s)
        except CorruptError:
            LOG_GAPS.inc()
            if not self._settings.skip_log_gaps:
                raise
            behind = await self._find_behind_gap(first)
            if behind is None:
                raise
            _logger.error("log_gap_skipped", first_missing=first, next_present=behind)  # noqa: TRY400 - no traceback wanted
            return await self._read_run(behind, max_entries, wait_s)

    async def _read_run(self, first: int, max_entries: int, wait_s: float) -> list[Entry]:
        return await self._log.read(
            Stream.CALLS,
            first,
            max_entries=max_entries,
            max_bytes=self._settings.batch_bytes,
            wait_s=wait_s,
        )

    async def _find_behind_gap(self, missing: int) -> int | None:
        state = await self._log.state(Stream.CALLS)
        for offset in range(max(missing + 1, state.first_offset), state.last_offset + 1):
            try:
                await self._read_run(offset, 1, 0.1)
            except CorruptError:
                continue
            return offset
        return None


class Taken:
    """Entries for one batch, up to its limits; at least one, however large."""

    def __init__(self, settings: IngestSettings) -> None:
        self.entries: list[Entry] = []
        self._events = 0
        """That came one by one."""
        self._events_left = settings.batch_events
        self._bytes_left = settings.batch_bytes

    @property
    def is_busy(self) -> bool:
        """Tell whether there is enough to make waiting for more worth while.

        Tables do not count: each is an insert's worth by itself, and whoever imports waits.
        """
        return self._events >= _BUSY_EVENTS

    @property
    def is_full(self) -> bool:
        """Tell whether the batch has reached a limit."""
        return self._events_left <= 0 or self._bytes_left <= 0

    def add(self, entries: Sequence[Entry]) -> bool:
        """Take entries as long as there is room; tell whether some came and there is room left."""
        for entry in entries:
            if self.is_full:
                break
            self.entries.append(entry)
            events = entry.records or entry.data.count(b"\n") + 1
            self._events += events
            self._events_left -= events + weigh_table(entry.data)
            self._bytes_left -= len(entry.data)
        return bool(entries) and not self.is_full
