"""Bring one warehouse up to date with the log.

In: a warehouse. Out: its rows, and a sync in its history. The warehouse has its own place in the
log. A range is written down before it is loaded and forgotten only after, so a load that died is
repeated on the very same messages; rows are merged on their ids, so repeating adds nothing. First
parked tables are tried again, then what is new is loaded, then backfills go on.
"""

from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.errors import HeadwaterError, UnavailableError
from headwater.base.ids import new_id
from headwater.base.settings import WarehouseSettings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.eventlog import Entry, EventLog, LogState, Stream
from headwater.sources import Forgotten
from headwater.warehouse.batch import Wish, take_entries
from headwater.warehouse.excluding import read_unwanted
from headwater.warehouse.loading import Done, Scope, finish, load
from headwater.warehouse.rereads import (
    Reread,
    begin_reread,
    end_reread,
    list_rereads,
    note_error,
)
from headwater.warehouse.settings import identifier_bytes_of
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

_log = get_logger("warehouse")
_LOSSES = {"discarded", "unreadable", "unknown_source", "unknown_type"}
"""Notices that make a sync partial; the others tell of rules that did their work."""


class Syncer:
    """Loads batch after batch until the warehouse has what the log has."""

    def __init__(
        self,
        configdb: ConfigDb,
        log: EventLog,
        vault: Vault,
        clock: Clock,
        settings: WarehouseSettings,
        data: Path,
    ) -> None:
        self._configdb = configdb
        self._log = log
        self._forgotten = Forgotten(configdb, vault, clock)
        self._clock = clock
        self._settings = settings
        self._data = data

    async def sync(self, warehouse: Warehouse, cause: str) -> Sync:
        """Load everything up to now; raise what went wrong, after writing it into the history."""
        state = await self._log.state(Stream.MESSAGES)
        reader = reader_of(warehouse.id)
        place, missed = await self._find_place(reader, state)
        book = _Book(
            Sync(
                id=new_id("sync"),
                warehouse_id=warehouse.id,
                state=RUNNING,
                started_at=self._clock.now(),
                first_offset=place.next_offset,
                last_offset=place.next_offset - 1,
                cause=cause,
            )
        )
        await self._configdb.run(begin_sync, book.sync)
        book.note_missed(missed)
        try:
            if missed:
                await self._configdb.run(
                    write_position, self._clock, reader, Stream.MESSAGES, place
                )
            await self._sync(warehouse, state, place, book)
        except Exception as err:
            book.note(_why(err))
            await self._end(book.sync, PARTIAL if book.sync.rows else FAILURE)
            raise
        return await self._end(book.sync, PARTIAL if book.is_lossy else SUCCESS)

    async def _sync(
        self, warehouse: Warehouse, state: LogState, place: Position, book: "_Book"
    ) -> None:
        rereads = await self._configdb.run(list_rereads, warehouse.id)
        end = place.next_offset - 1
        still_parked = [
            reread
            for reread in rereads
            if not reread.is_backfill
            and not await self._reread(warehouse, reread, state, end, book)
        ]
        scope = await self._scope(warehouse, still_parked)
        await self._advance(scope, reader_of(warehouse.id), place, state.last_offset, book)
        for reread in (one for one in rereads if one.is_backfill):
            await self._reread(warehouse, reread, state, state.last_offset, book)

    async def _reread(
        self, warehouse: Warehouse, reread: Reread, state: LogState, end: int, book: "_Book"
    ) -> bool:
        """Read a part of the log again; tell whether it is done."""
        last = end if reread.last_offset is None else min(end, reread.last_offset)
        place, missed = await self._find_place(reread.reader, state)
        book.note_missed(missed)
        scope = await self._scope(warehouse, [], reread)
        errors = await self._advance(scope, reread.reader, place, last, book)
        if errors and not reread.is_backfill:
            await self._configdb.run(note_error, reread, errors)
            book.note({"code": "parked", "table": reread.table_name, "message": errors})
            return False
        await self._configdb.run(end_reread, reread)
        return True

    async def _scope(
        self,
        warehouse: Warehouse,
        parked: list[Reread],
        reread: Reread | None = None,
    ) -> Scope:
        await self._forgotten.refresh()
        longest = identifier_bytes_of(warehouse.settings)
        unwanted = await self._configdb.run(read_unwanted, warehouse.excluded, longest)
        source_id = (reread.source_id if reread else None) or warehouse.source_id
        return Scope(
            warehouse=warehouse,
            wish=Wish(
                warehouse_id=warehouse.id,
                source_id=source_id,
                identifier_bytes=longest,
                unwanted=unwanted,
                is_forgotten=self._forgotten.hides,
            ),
            only=reread.table_name if reread else "",
            parked=frozenset((one.source_id or "", one.table_name) for one in parked),
            folder=self._data / "warehouse" / warehouse.id,
        )

    async def _advance(
        self,
        scope: Scope,
        reader: str,
        place: Position,
        last: int,
        book: "_Book",
    ) -> str:
        """Load batch after batch up to `last`; return why a parked table still cannot be loaded."""
        while place.pending or place.next_offset <= last:
            entries = await self._begin_batch(reader, place, last)
            done = await finish(load, scope, entries, self._configdb, self._clock)
            if done.failures and scope.only:
                return next(iter(done.failures.values()))
            if done.failures and not done.rows:
                (_, table), reason = next(iter(done.failures.items()))
                raise UnavailableError(f"The table {table} was not loaded: {reason}")
            place = Position(next_offset=entries[-1].offset + 1)
            book.add(done, None if scope.is_reread(reader) else place)
            scope = scope.without(done.failures)
            await self._configdb.run(
                self._end_batch, reader, book.sync, place, done, entries[0].offset
            )
        return ""

    async def _find_place(self, reader: str, state: LogState) -> tuple[Position, int]:
        """Return where a reader goes on, and how many entries went before it had read them."""
        place = await self._configdb.run(read_position, reader)
        if place and place.next_offset >= state.first_offset:
            return place, 0
        read_before = place is not None and place.next_offset > 0
        missed = state.first_offset - place.next_offset if place and read_before else 0
        return Position(next_offset=state.first_offset), missed

    async def _begin_batch(self, reader: str, place: Position, last: int) -> list[Entry]:
        """Return the next entries, after writing down which they are."""
        if place.pending:
            return await take_entries(self._log, *place.pending, max_messages=None)
        entries = await take_entries(
            self._log, place.next_offset, last, max_messages=self._settings.batch_messages
        )
        begun = Position(place.next_offset, (entries[0].offset, entries[-1].offset))
        await self._configdb.run(write_position, self._clock, reader, Stream.MESSAGES, begun)
        crash_point("warehouse.batch_begun")
        return entries

    def _end_batch(
        self,
        connection: sa.Connection,
        reader: str,
        sync: Sync,
        place: Position,
        done: Done,
        first_offset: int,
    ) -> None:
        for (source_id, table), error in done.failures.items():
            begin_reread(
                connection,
                self._clock,
                sync.warehouse_id,
                first_offset,
                source_id=source_id,
                table_name=table,
                error=error,
            )
        write_position(connection, self._clock, reader, Stream.MESSAGES, place)
        save_sync(connection, sync)

    async def _end(self, sync: Sync, state: str) -> Sync:
        ended = msgspec.structs.replace(sync, state=state, finished_at=self._clock.now())
        await self._configdb.run(save_sync, ended)
        _log.info("synced", warehouse=sync.warehouse_id, state=state, rows=sum(sync.rows.values()))
        return ended


class _Book:
    """Keeps the sync's row of the history."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync
        self._done = Done()
        self._said: list[dict[str, Any]] = []

    def add(self, done: Done, place: Position | None) -> None:
        """Count a batch; `place` is where the warehouse itself has come to."""
        self._done += done
        for (_, table), error in done.failures.items():
            self._said.append({"code": "parked", "table": table, "message": error})
        last = place.next_offset - 1 if place else self.sync.last_offset
        self.sync = msgspec.structs.replace(
            self.sync,
            last_offset=last,
            rows=dict(sorted(self._done.rows.items())),
            prepare_s=round(self._done.prepare_s, 3),
            load_s=round(self._done.load_s, 3),
            notices=self._notices(),
        )

    def note(self, what: dict[str, Any]) -> None:
        """Put a word into the history."""
        self._said.append(what)
        self.sync = msgspec.structs.replace(self.sync, notices=self._notices())

    def note_missed(self, entries: int) -> None:
        """Say that the log did not wait any longer."""
        if entries:
            self.note(
                {
                    "code": "missed",
                    "count": entries,
                    "message": f"{entries} requests' messages were dropped unloaded: they had"
                    " waited for longer than eventlog.keep_unread_s, or the log was nearly full.",
                }
            )

    def _notices(self) -> list[dict[str, Any]]:
        counted = [
            {**msgspec.structs.asdict(notice), "count": count}
            for notice, count in self._done.notices.items()
        ]
        return [*counted, *self._said]

    @property
    def is_lossy(self) -> bool:
        return bool(self._said) or any(n.code in _LOSSES for n in self._done.notices)


def _why(err: Exception) -> dict[str, Any]:
    if isinstance(err, HeadwaterError):
        return {"code": err.code, "message": err.message, "hint": err.hint}
    return {"code": "bug", "message": type(err).__name__, "hint": "The server's log says more."}
