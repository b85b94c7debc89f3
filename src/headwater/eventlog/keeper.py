"""Keep the log short: forget entries that every reader has passed and that are old enough.

In: the log and the slowest reader's next offset. Out: a trimmed log. Never forgets an entry that a
reader still needs; forgets passed ones early when the log fills up, since a full log refuses calls.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from headwater.base.clock import Clock
from headwater.base.settings import EventLogSettings
from headwater.base.telemetry import get_logger
from headwater.eventlog.port import EventLog, Stream

EVERY_S = 5.0
"""Soon enough for a log that fills up: a full one refuses calls that most clients never repeat."""
_AGES_EVERY = 12
_ROOMY = 0.5
_logger = get_logger("eventlog")


class LogKeeper:
    """A worker: looks every few seconds for a stream that fills up, each minute for old entries."""

    name = "log-keeper"

    def __init__(
        self,
        log: EventLog,
        slowest_reader: Callable[[Stream], Awaitable[int | None]],
        clock: Clock,
        settings: EventLogSettings,
    ) -> None:
        self._log = log
        self._slowest_reader = slowest_reader
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
        limit_bytes = self._settings.max_disk_bytes / len(Stream)
        is_filling_up = state.bytes_on_disk > _ROOMY * limit_bytes
        if not (is_filling_up or by_age):
            return state.first_offset
        passed = await self._slowest_reader(stream)
        if passed is None or passed <= state.first_offset:
            return state.first_offset
        keep_from = (
            passed if is_filling_up else await self._first_young(stream, state.first_offset, passed)
        )
        if keep_from > state.first_offset:
            await self._log.trim(stream, keep_from)
            _logger.info("log_trimmed", stream=stream, keep_from=keep_from)
        return keep_from

    async def _first_young(self, stream: Stream, first: int, passed: int) -> int:
        """Return the oldest passed offset that is younger than `keep_consumed_s`, by bisection."""
        now = self._clock.now()
        low, high = first, passed
        while low < high:
            middle = (low + high) // 2
            found = await self._log.read(stream, middle, max_entries=1, max_bytes=1, wait_s=0.1)
            old = bool(found) and (
                (now - found[0].appended_at).total_seconds() > self._settings.keep_consumed_s
            )
            low, high = (middle + 1, high) if old else (low, middle)
        return low
