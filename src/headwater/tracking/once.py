"""Append each message to the log once, however often clients send it.

In: messages. Out: their durable place in the log; a repeat within the window is acknowledged and
not stored again. Three memories, from young to old: claims of requests in flight, messages appended
but not yet marked, and the table of `seen`, which follows the log and is caught up before the first
message after a start. Exact within one process; several processes share the table.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.errors import HeadwaterError
from headwater.base.retry import backoff_s
from headwater.base.telemetry import get_logger
from headwater.configdb import ConfigDb, read_position
from headwater.eventlog import Entry, EventLog, GroupCommit, Stream
from headwater.model import Message
from headwater.tracking.seen import READER, Key, find_seen, mark_seen, prune_seen

_MARK_AFTER_S = 0.1
_PRUNE_EVERY_S = 3600.0
_READ_ENTRIES = 64
_READ_BYTES = 4_000_000
_READ_WAIT_S = 1.0
_logger = get_logger("tracking")
_encoder = msgspec.json.Encoder()


class AppendOnce:
    """The only way into the messages stream; one for each process."""

    def __init__(
        self, group: GroupCommit, log: EventLog, configdb: ConfigDb, clock: Clock, keep: timedelta
    ) -> None:
        self._group = group
        self._log = log
        self._configdb = configdb
        self._clock = clock
        self._keep = keep
        self._in_flight: dict[Key, asyncio.Future[bool]] = {}
        self._unmarked: dict[Key, int] = {}
        self._next_offset = 0
        self._is_sure = False
        self._reading = asyncio.Lock()
        self._marking: asyncio.Task[None] | None = None
        self._pruned_at_s = clock.monotonic_s()

    async def append(self, messages: Sequence[Message]) -> list[Key]:
        """Return the source and id of those that were new, once all of them are durable.

        Raises `UnavailableError` when that cannot be promised; sending again is then safe.
        """
        await self._be_sure()
        waiting: dict[Key, Message] = {}
        for message in messages:
            waiting.setdefault((message.source_id, message.message_id), message)
        fresh: list[Key] = []
        while waiting:
            mine, theirs = self._claim(waiting)
            if mine:
                fresh += await self._append_claimed(mine)
            lost = [key for key, stored in theirs.items() if not await asyncio.shield(stored)]
            waiting = {key: waiting[key] for key in lost}
        return fresh

    async def close(self) -> None:
        """Stop marking; the next start catches up."""
        if self._marking is not None:
            self._marking.cancel()
            await asyncio.gather(self._marking, return_exceptions=True)

    def _claim(
        self, waiting: Mapping[Key, Message]
    ) -> tuple[dict[Key, Message], dict[Key, asyncio.Future[bool]]]:
        """Divide what waits into ours to append and what another request is appending.

        No await in here: two requests can never claim the same key.
        """
        mine: dict[Key, Message] = {}
        theirs: dict[Key, asyncio.Future[bool]] = {}
        for key, message in waiting.items():
            if key in self._unmarked:
                continue
            if key in self._in_flight:
                theirs[key] = self._in_flight[key]
            else:
                self._in_flight[key] = asyncio.get_running_loop().create_future()
                mine[key] = message
        return mine, theirs

    async def _append_claimed(self, mine: Mapping[Key, Message]) -> list[Key]:
        stored = False
        try:
            since = self._clock.now() - self._keep
            seen = await self._configdb.look(find_seen, mine, since)
            new = [key for key in mine if key not in seen]
            await self._append_new({key: mine[key] for key in new})
            stored = True
            return new
        finally:
            for key in mine:
                self._in_flight.pop(key).set_result(stored)

    async def _append_new(self, new: Mapping[Key, Message]) -> None:
        if not new:
            return
        crash_point("tracking.before_append")
        try:
            offset = await self._group.append([_encoder.encode(m) for m in new.values()])
        except BaseException:
            self._is_sure = False  # refused, yet perhaps stored: only the log can tell
            raise
        self._unmarked.update(dict.fromkeys(new, offset))
        crash_point("tracking.after_append")
        if self._marking is None or self._marking.done():
            self._marking = asyncio.create_task(self._mark())

    async def _be_sure(self) -> None:
        """Read on in the log when there may be messages that no memory knows."""
        if self._is_sure:
            return
        self._is_sure = True
        try:
            await self.catch_up()
        except BaseException:
            self._is_sure = False
            raise

    async def _mark(self) -> None:
        failures = 0
        while self._unmarked:
            await asyncio.sleep(_MARK_AFTER_S + (backoff_s(failures, cap_s=30) if failures else 0))
            try:
                await self.catch_up()
                failures = 0
            except HeadwaterError as err:
                failures += 1
                _logger.warning("marking_failed", reason=err.code, waiting=len(self._unmarked))

    async def catch_up(self) -> None:
        """Mark every message that the log holds now."""
        async with self._reading:
            last_offset = await self._find_ends()
            while self._next_offset <= last_offset:
                entries = await self._log.read(
                    Stream.MESSAGES,
                    self._next_offset,
                    max_entries=_READ_ENTRIES,
                    max_bytes=_READ_BYTES,
                    wait_s=_READ_WAIT_S,
                )
                if entries:
                    await self._mark_entries(entries)
            await self._prune()

    async def _find_ends(self) -> int:
        state = await self._log.state(Stream.MESSAGES)
        if not self._next_offset:
            position = await self._configdb.run(read_position, READER)
            known = position.next_offset if position else 1
            # Beyond the end: the log was replaced, and its offsets began anew.
            self._next_offset = known if known <= state.last_offset + 1 else 1
        self._next_offset = max(self._next_offset, state.first_offset)
        return state.last_offset

    async def _mark_entries(self, entries: Sequence[Entry]) -> None:
        crash_point("tracking.before_mark")
        await self._configdb.run(mark_seen, self._clock, entries)
        self._next_offset = entries[-1].offset + 1
        self._unmarked = {
            key: offset for key, offset in self._unmarked.items() if offset >= self._next_offset
        }

    async def _prune(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._pruned_at_s > _PRUNE_EVERY_S:
            self._pruned_at_s = now_s
            await self._configdb.run(prune_seen, self._clock, self._keep)
