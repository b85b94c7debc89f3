"""Read ranges of the log: new ones up to the size of a batch, begun ones exactly as they were.

In: offsets. Out: entries in order. Missing entries are never passed over in silence: they raise
`CorruptError`, or, where the operator allows it, are counted and logged.
"""

from headwater.base.clock import Clock
from headwater.base.errors import CorruptError
from headwater.base.settings import IngestSettings
from headwater.base.telemetry import LOG_GAPS, get_logger
from headwater.eventlog import Entry, EventLog, Stream

_ENTRIES_PER_READ = 64
_logger = get_logger("ingest")


class RangeReader:
    """Reads the `calls` stream."""

    def __init__(self, log: EventLog, clock: Clock, settings: IngestSettings) -> None:
        self._log = log
        self._clock = clock
        self._settings = settings

    async def take(self, first: int) -> list[Entry]:
        """Return what has come since `first`: a full batch, or less after `batch_wait_s`."""
        return await self._take(first, self._settings.batch_wait_s)

    async def take_full(self, first: int) -> list[Entry]:
        """Return a full batch if it has come already, else nothing."""
        if await self.lag(first - 1) <= 0:
            return []
        taken = await self._take(first, 0)
        return [] if self._has_room(taken) else taken

    async def _take(self, first: int, wait_s: float) -> list[Entry]:
        taken = await self._read(first, _ENTRIES_PER_READ, wait_s)
        deadline_s = self._clock.monotonic_s() + wait_s
        while taken and self._has_room(taken):
            left_s = deadline_s - self._clock.monotonic_s()
            if left_s <= 0:
                break
            more = await self._read(taken[-1].offset + 1, _ENTRIES_PER_READ, left_s)
            if not more:
                break
            taken += more
        return self._cut(taken)

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

    def _has_room(self, taken: list[Entry]) -> bool:
        size_bytes = sum(len(entry.data) for entry in taken)
        return size_bytes < self._settings.batch_bytes and len(self._cut(taken)) == len(taken)

    def _cut(self, taken: list[Entry]) -> list[Entry]:
        events = 0
        for index, entry in enumerate(taken):
            if events >= self._settings.batch_events:
                return taken[:index]
            events += entry.data.count(b"\n") + 1
        return taken
