"""Keep the log short: forget entries that every reader has passed and that are old enough.

In: the log and how far its readers have come. Out: a trimmed log. Never forgets an entry that a
strict reader still needs; forgets passed ones early when the log fills up, since a full log refuses
what comes in. Readers that are not strict, which are warehouses, are waited for with patience that
ends: one of them that is away must not stop everything.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from headwater.base.clock import Clock
from headwater.base.settings import EventLogSettings
from headwater.base.telemetry import get_logger
from headwater.eventlog.port import EventLog, Stream

EVERY_S = 5.0
"""Soon enough for a log that fills up: a full one refuses calls that most clients never repeat."""
_AGES_EVERY = 12
_ROOMY = 0.5
_CROWDED = 0.8
_PARTS = 10
"""When crowded, unread entries go a tenth of them at a time, and no more than is needed."""
_logger = get_logger("eventlog")


class Progress(NamedTuple):
    """How far the readers of a stream have come."""

    slowest: int
    """The offset that the slowest of all needs next."""
    strict: int
    """The offset that the slowest of those needs next that must not miss anything."""


class LogKeeper:
    """A worker: looks every few seconds for a stream that fills up, each minute for old entries."""

    name = "log-keeper"

    def __init__(
        self,
        log: EventLog,
        read_progress: Callable[[Stream], Awaitable[Progress | None]],
        clock: Clock,
        settings: EventLogSettings,
    ) -> None:
        self._log = log
        self._read_progress = read_progress
        self._clock = clock
        self._settings = settings

    async def run(self) -> None:
        for turn in itertools.count():
            for stream in Stream:
                await self.step(stream, by_age=turn % _AGES_EVERY == 0)
            await asyncio.sleep(EVERY_S)

    async def step(self, stream: Stream, *, by_age: bool = True) -> int:
        """Trim one stream; return the first offset it keeps."""
        state = await self._log.state(stream)
        fullness = state.bytes_on_disk / (self._settings.max_disk_bytes / len(Stream))
        if not (fullness > _ROOMY or by_age):
            return state.first_offset
        progress = await self._read_progress(stream)
        if progress is None or progress.strict <= state.first_offset:
            return state.first_offset
        keep_from = await self._find_end(stream, state.first_offset, progress, fullness)
        if keep_from > state.first_offset:
            await self._log.trim(stream, keep_from)
            _logger.info("log_trimmed", stream=stream, keep_from=keep_from)
        if keep_from > progress.slowest > 0:
            _logger.error("log_dropped_unread", stream=stream, keep_from=keep_from)
        return keep_from

    async def _find_end(
        self, stream: Stream, first: int, progress: Progress, fullness: float
    ) -> int:
        """Return the first offset to keep."""
        passed = max(first, progress.slowest)
        if fullness <= _ROOMY:
            young = await self._first_young(stream, first, passed, self._settings.keep_consumed_s)
            if young < passed:
                return young
        if fullness > _CROWDED:
            return passed + -(-(progress.strict - passed) // _PARTS)
        return await self._first_young(
            stream, passed, progress.strict, self._settings.keep_unread_s
        )

    async def _first_young(self, stream: Stream, first: int, end: int, age_s: int) -> int:
        """Return the oldest offset before `end` that is younger than `age_s`, by bisection."""
        now = self._clock.now()
        low, high = first, end
        while low < high:
            middle = (low + high) // 2
            found = await self._log.read(stream, middle, max_entries=1, max_bytes=1, wait_s=0.1)
            old = bool(found) and (now - found[0].appended_at).total_seconds() > age_s
            low, high = (middle + 1, high) if old else (low, middle)
        return low
