"""Bring one warehouse up to date with the log.

In: a warehouse. Out: its rows, and a sync in its history. The warehouse has its own place in the
log. A range is written down before it is loaded and forgotten only after, so a load that died is
repeated on the very same messages; rows are merged on their ids, so repeating adds nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.errors import HeadwaterError, NotFoundError, UnavailableError
from headwater.base.ids import new_id
from headwater.base.settings import WarehouseSettings
from headwater.base.telemetry import WAREHOUSE_ROWS, get_logger
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.eventlog import Entry, EventLog, Stream
from headwater.sources import get_source
from headwater.warehouse.batch import sort_by_source, take_entries
from headwater.warehouse.store import (
    FAILURE,
    PARTIAL,
    RUNNING,
    SUCCESS,
    Sync,
    Warehouse,
    begin_sync,
    reader_of,
    save_sync,
)
from headwater.warehouse.tables import Notice, schema_name

T = TypeVar("T")
_log = get_logger("warehouse")
_LOSSES = {"discarded", "unreadable", "unknown_source", "unknown_type"}
"""Notices that make a sync partial; the others tell of rules that did their work."""


class _Done(msgspec.Struct, frozen=True):
    """What was loaded so far: rows by `schema.table`."""

    rows: Counter[str]
    notices: Counter[Notice]

    def __add__(self, other: "_Done") -> "_Done":
        return _Done(self.rows + other.rows, self.notices + other.notices)


class Syncer:
    """Loads batch after batch until the warehouse has what the log has."""

    def __init__(
        self,
        configdb: ConfigDb,
        log: EventLog,
        clock: Clock,
        settings: WarehouseSettings,
        data: Path,
    ) -> None:
        self._configdb = configdb
        self._log = log
        self._clock = clock
        self._settings = settings
        self._data = data

    async def sync(self, warehouse: Warehouse) -> Sync:
        """Load everything up to now; raise what went wrong, after writing it into the history."""
        place, last = await self._find_place(warehouse)
        sync = Sync(
            id=new_id("sync"),
            warehouse_id=warehouse.id,
            state=RUNNING,
            started_at=self._clock.now(),
            first_offset=place.next_offset,
            last_offset=place.next_offset - 1,
        )
        await self._configdb.run(begin_sync, sync)
        done = _Done(Counter(), Counter())
        try:
            while place.next_offset <= last:
                entries = await self._begin_batch(warehouse, place, last)
                done += await _finish(self._load, warehouse, entries)
                place = Position(next_offset=entries[-1].offset + 1)
                sync = _progress(sync, place, done)
                await self._configdb.run(self._end_batch, sync, place)
        except Exception as err:
            failed = msgspec.structs.replace(sync, notices=[*sync.notices, _why(err)])
            await self._end(failed, PARTIAL if sync.rows else FAILURE)
            raise
        lossy = any(notice.code in _LOSSES for notice in done.notices)
        return await self._end(sync, PARTIAL if lossy else SUCCESS)

    async def _find_place(self, warehouse: Warehouse) -> tuple[Position, int]:
        """Return where to go on, and where the log ends now."""
        state = await self._log.state(Stream.MESSAGES)
        place = await self._configdb.run(read_position, reader_of(warehouse.id))
        if place is None or place.next_offset < state.first_offset:
            place = Position(next_offset=state.first_offset)
        return place, state.last_offset

    async def _begin_batch(self, warehouse: Warehouse, place: Position, last: int) -> list[Entry]:
        """Return the next entries, after writing down which they are."""
        if place.pending:
            return await take_entries(self._log, *place.pending, max_messages=None)
        entries = await take_entries(
            self._log, place.next_offset, last, max_messages=self._settings.batch_messages
        )
        begun = Position(place.next_offset, (entries[0].offset, entries[-1].offset))
        await self._configdb.run(
            write_position, self._clock, reader_of(warehouse.id), Stream.MESSAGES, begun
        )
        crash_point("warehouse.batch_begun")
        return entries

    def _load(self, warehouse: Warehouse, entries: list[Entry]) -> _Done:
        from headwater.warehouse.engines import limits_of, open_engine
        from headwater.warehouse.fill import fill

        limits = limits_of(warehouse.settings)
        sources, notices = sort_by_source(
            entries, warehouse.id, warehouse.source_id, self._clock.now(), limits.identifier_bytes
        )
        load = f"{entries[0].offset:020}-{entries[-1].offset:020}"
        done = _Done(Counter(), notices)
        for source_id, rows in sources.items():
            schema = self._schema_of(source_id, limits.identifier_bytes)
            if not schema:
                done += _Done(Counter(), Counter({Notice("unknown_source", source_id): 1}))
                continue
            folder = self._data / "warehouse" / warehouse.id
            with open_engine(warehouse.settings, schema, folder, load) as engine:
                filled = fill(engine, rows, limits)
            for table, message in filled.failures.items():
                raise UnavailableError(f"The table {schema}.{table} was not loaded: {message}")
            for table, count in filled.rows.items():
                WAREHOUSE_ROWS.labels(warehouse.name, table).inc(count)
            done += _Done(
                Counter({f"{schema}.{table}": count for table, count in filled.rows.items()}),
                Counter({_in(schema, notice): n for notice, n in filled.notices.items()}),
            )
        return done

    def _schema_of(self, source_id: str, identifier_bytes: int) -> str:
        try:
            with self._configdb.transaction() as connection:
                return schema_name(get_source(connection, source_id).slug, identifier_bytes)
        except NotFoundError:
            return ""

    def _end_batch(self, connection: Any, sync: Sync, place: Position) -> None:
        reader = reader_of(sync.warehouse_id)
        write_position(connection, self._clock, reader, Stream.MESSAGES, place)
        save_sync(connection, sync)

    async def _end(self, sync: Sync, state: str) -> Sync:
        ended = msgspec.structs.replace(sync, state=state, finished_at=self._clock.now())
        await self._configdb.run(save_sync, ended)
        _log.info("synced", warehouse=sync.warehouse_id, state=state, rows=sum(sync.rows.values()))
        return ended


def _progress(sync: Sync, place: Position, done: _Done) -> Sync:
    return msgspec.structs.replace(
        sync,
        last_offset=place.next_offset - 1,
        rows=dict(sorted(done.rows.items())),
        notices=[
            {**msgspec.structs.asdict(notice), "count": count}
            for notice, count in done.notices.items()
        ],
    )


def _in(schema: str, notice: Notice) -> Notice:
    return msgspec.structs.replace(notice, table=f"{schema}.{notice.table}")


def _why(err: Exception) -> dict[str, Any]:
    if isinstance(err, HeadwaterError):
        return {"code": err.code, "message": err.message, "hint": err.hint}
    return {"code": "bug", "message": type(err).__name__, "hint": "The server's log says more."}


async def _finish(work: Callable[..., T], *args: Any) -> T:
    """Run `work` on a thread; when cancelled, wait for its end before giving up.

    A thread cannot be stopped, and what it works on must not be closed under it.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
