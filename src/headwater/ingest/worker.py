"""Take batches from the log and store them, each exactly once, whatever dies in between.

In: the `calls` stream. Out: one insert a batch into the store, then wider profiles, then a position
further on. A batch is a fixed range of offsets, written down before its first attempt, and its
token is made of that range: an attempt that is repeated, after a crash or after trouble, inserts
the very same rows and the store drops what it has. Holds no rules about calls: see `steps`.

Entries missing from the log stop the worker and raise the alarm, until an operator has looked and
either restored the log or set `ingest.skip_log_gaps`. A call that cannot be stored goes to
`rejects` with its reason, whole, and the stream goes on.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, TypeVar, cast

import msgspec

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.errors import CorruptError, HeadwaterError, Transient
from headwater.base.retry import backoff_s
from headwater.base.settings import IngestSettings
from headwater.base.telemetry import (
    CALLS_STORED,
    INGEST_LAG,
    RECORDS_QUARANTINED,
    get_logger,
)
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.eventlog import Entry, EventLog, Stream
from headwater.eventstore import EventStore
from headwater.ingest.actions import make_action_steps, store_actions
from headwater.ingest.batch import Batch, decode_entries, reject_call
from headwater.ingest.bulk import Bulk
from headwater.ingest.guard import Guards
from headwater.ingest.heads import Call
from headwater.ingest.knowledge import Knowledge
from headwater.ingest.owners import put_owners
from headwater.ingest.poison import find_poison
from headwater.ingest.reader import RangeReader, Taken
from headwater.ingest.repeats import END_OF_LOG
from headwater.ingest.rows import to_call_lines, to_reject_rows
from headwater.ingest.steps import make_steps, run_steps
from headwater.ingest.tables import lay_out, to_calls

READER = "ingest"
_MAX_CLIENTS = 1_000
_RETRY_FIRST_S = 0.2
_RETRY_CAP_S = 15.0
_logger = get_logger("ingest")
_A = TypeVar("_A")
_B = TypeVar("_B")


class Ready(msgspec.Struct, frozen=True):
    """A range of the log with its records, all steps done."""

    first: int
    last: int
    batch: Batch
    is_full: bool


class IngestWorker:
    """The one reader of the `calls` stream."""

    name = READER

    def __init__(
        self,
        log: EventLog,
        store: EventStore,
        configdb: ConfigDb,
        knowledge: Knowledge,
        clock: Clock,
        settings: IngestSettings,
    ) -> None:
        self._store = store
        self._configdb = configdb
        self._profiles = knowledge.profiles
        self._repeats = knowledge.repeats
        self._identity = knowledge.identity
        self._clock = clock
        self._reader = RangeReader(log, clock, settings)
        self._guards = Guards(max_routes=settings.max_routes, max_clients=_MAX_CLIENTS)
        countries = knowledge.countries
        self._steps = make_steps(self._guards, countries, late_after_s=settings.late_after_s)
        self._action_steps = make_action_steps(countries, late_after_s=settings.late_after_s)
        self._bulk = Bulk(store, knowledge.repeats, knowledge.identity)
        self._country_of = countries.country_of
        self._position: Position | None = None
        self._ahead: Ready | None = None

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                await self.step()
                failures = 0
            except HeadwaterError as err:
                if not isinstance(err, Transient | CorruptError):
                    raise
                failures += 1
                wait_s = backoff_s(failures, first_s=_RETRY_FIRST_S, cap_s=_RETRY_CAP_S)
                _logger.error("ingest_waits", error=err.message, code=err.code, wait_s=wait_s)  # noqa: TRY400 - expected trouble
                await asyncio.sleep(wait_s)

    async def step(self) -> int:
        """Store one batch; return how many log entries it held, 0 after a while of silence."""
        position = await self._wake()
        # Forgotten until the batch is done: after trouble, the next step reads what was written.
        self._position = None
        ready = await self._take(position)
        if ready is None:
            self._position = position
            return 0
        await _to_its_end(self._work_off(ready, position))
        self._position = Position(ready.last + 1)
        crash_point("ingest.done")
        INGEST_LAG.set(await self._reader.lag(ready.last))
        return ready.last - ready.first + 1

    async def _work_off(self, ready: Ready, position: Position) -> None:
        async with self._identity.turn:
            if position.pending is None:
                await self._move(Position(ready.first, (ready.first, ready.last)))
            crash_point("ingest.pending")
            before = ready.first if position.pending else END_OF_LOG
            _, self._ahead = await _both(
                self._finish(ready, before=before), self._look_ahead(ready)
            )

    async def _finish(self, ready: Ready, *, before: int) -> None:
        """Store a batch whose range is written down, and write down that it is done."""
        token = f"{Stream.CALLS}:{ready.first}-{ready.last}"
        await self._store_batch(ready, token, before=before)
        crash_point("ingest.inserted")
        await self._profiles.fold(ready.batch.updates, token=token)
        crash_point("ingest.folded")
        await self._move(Position(ready.last + 1))

    async def _wake(self) -> Position:
        """Return the position; the first time, learn what the store holds as well."""
        if self._position is not None:
            return self._position
        await self._guards.learn(self._store)
        found = await self._configdb.run(read_position, READER)
        return found or Position(await self._reader.first_offset())

    async def _take(self, position: Position) -> Ready | None:
        if position.pending is not None:
            entries = await self._reader.take_again(*position.pending)
            ready = await asyncio.to_thread(self._prepare, entries, is_full=False)
            return msgspec.structs.replace(
                ready, first=position.pending[0], last=position.pending[1]
            )
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.first == position.next_offset:
            return ahead
        taken = await self._reader.take(position.next_offset)
        if not taken.entries:
            return None
        return await self._prepare_range(taken)

    async def _look_ahead(self, ready: Ready) -> Ready | None:
        """Prepare the next batch while the engine works on this one, if there is that much."""
        taken = await self._reader.take_full(ready.last + 1) if ready.is_full else None
        return None if taken is None else await self._prepare_range(taken)

    async def _prepare_range(self, taken: Taken) -> Ready:
        # It takes a while; a thread leaves the event loop to those who wait for it.
        return await asyncio.to_thread(self._prepare, taken.entries, is_full=taken.is_full)

    def _prepare(self, entries: Sequence[Entry], *, is_full: bool) -> Ready:
        batch = decode_entries(entries)
        self._lay_out(batch)
        try:
            batch.calls = run_steps(batch.calls, self._steps)
        except Exception:  # noqa: BLE001 - whatever it is, it costs one call, not the batch
            self._step_each(batch)
        batch.actions = run_steps(batch.actions, self._action_steps)
        return Ready(entries[0].offset, entries[-1].offset, batch, is_full)

    def _lay_out(self, batch: Batch) -> None:
        if not batch.tables:
            return
        try:
            batch.rows = lay_out(batch.tables, self._guards, self._country_of)
        except Exception:
            _logger.exception("table_not_laid_out", log_offset=batch.tables[0][0])
            batch.calls += to_calls(batch.tables)

    def _step_each(self, batch: Batch) -> None:
        calls, batch.calls = batch.calls, []
        for call in calls:
            try:
                batch.calls += run_steps((call,), self._steps)
            except Exception as err:  # noqa: BLE001 - the same
                _refuse(batch, [(call, err)])

    async def _move(self, position: Position) -> None:
        await self._configdb.run(write_position, self._clock, READER, Stream.CALLS, position)

    async def _store_batch(self, ready: Ready, token: str, *, before: int) -> None:
        batch = ready.batch
        new = await self._repeats.drop(batch.calls, before=before)
        callers = [*new, *batch.actions]
        await put_owners(
            self._identity, callers, batch.updates, rulings=batch.rulings, offset=ready.last
        )
        crash_point("ingest.owned")
        stored = await self._store_calls(batch, new, token) if new else 0
        stored += await self._store_tables(batch, new, token, before=before)
        actions = await store_actions(self._store, batch.actions, token, before=before)
        if batch.rejects:
            await self._store.insert("rejects", to_reject_rows(batch.rejects), token=token)
        CALLS_STORED.inc(stored)
        _logger.info(
            "calls_stored",
            token=token,
            calls=stored,
            repeats=len(batch.calls) - len(new),
            actions=actions,
            updates=len(batch.updates),
            rejects=len(batch.rejects),
        )

    async def _store_calls(self, batch: Batch, calls: Sequence[Call], token: str) -> int:
        try:
            return await self._insert(calls, "landing", token)
        except Exception as err:
            if isinstance(err, Transient):
                raise
            good = await self._quarantine(batch, calls)
            return await self._insert(good, "landing", token)

    async def _store_tables(
        self, batch: Batch, beside: Sequence[Call], token: str, *, before: int
    ) -> int:
        if batch.rows is None:
            return 0
        try:
            return await self._bulk.insert(batch.rows, beside, token, before=before)
        except Exception as err:
            if isinstance(err, Transient):
                raise
            calls = run_steps(list(to_calls(batch.tables)), self._steps)
            new = await self._repeats.drop(calls, before=before)
            await put_owners(self._identity, new, (), offset=0)
            return await self._store_calls(batch, new, f"{token}:table")

    async def _insert(self, calls: Sequence[Call], table: str, token: str) -> int:
        lines = await asyncio.to_thread(to_call_lines, calls)
        await self._store.insert_lines(table, lines, token=token)
        return len(calls)

    async def _quarantine(self, batch: Batch, calls: Sequence[Call]) -> list[Call]:
        """Move the calls that cannot be stored to the rejects; return the others."""

        async def trial(some: Sequence[Call]) -> None:
            await self._insert(some, "landing_trial", "trial")

        good, bad = await find_poison(calls, trial)
        _refuse(batch, bad)
        return good


def _refuse(batch: Batch, bad: Sequence[tuple[Call, Exception]]) -> None:
    for call, err in bad:
        batch.rejects.append((call.offset, reject_call(call, err)))
        _logger.error("call_quarantined", log_offset=call.offset, error=type(err).__name__)
    RECORDS_QUARANTINED.inc(len(bad))


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Finish a batch that was begun, though the worker is told to stop; told again, break off.

    A range that stays half done would have to be finished by this very version: see `migrate`.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _both(first: Awaitable[_A], second: Awaitable[_B]) -> tuple[_A, _B]:
    """Wait until both are done, then raise what the first or the second raised."""
    done = await asyncio.gather(first, second, return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    return cast("tuple[_A, _B]", done)
