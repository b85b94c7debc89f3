"""Keep warehouses up to date: on a schedule, or when somebody asks.

In: the clock, and wishes. Out: syncs (`sync.py`), one at a time for each warehouse. A warehouse
that fails is tried again with growing patience; it keeps its place, and the others go on.
"""

import asyncio
import builtins
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

from headwater.base.clock import Clock
from headwater.base.errors import ConflictError, HeadwaterError
from headwater.base.ids import new_id
from headwater.base.retry import backoff_s
from headwater.base.schedule import clean_schedule, read_schedule
from headwater.base.settings import WarehouseSettings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, read_position
from headwater.eventlog import EventLog, LogState, Stream
from headwater.sources import get_source, list_sources
from headwater.warehouse import store
from headwater.warehouse.catalog import check_settings
from headwater.warehouse.excluding import clean_excluded
from headwater.warehouse.loading import finish
from headwater.warehouse.rereads import Reread, begin_reread, list_rereads
from headwater.warehouse.settings import WarehouseSettings as TypedSettings
from headwater.warehouse.settings import identifier_bytes_of
from headwater.warehouse.standing import Standing, Waiting, standing_of
from headwater.warehouse.store import Sync, Warehouse, reader_of
from headwater.warehouse.sync import Syncer
from headwater.warehouse.tables import schema_name
from headwater.warehouse.types import Kind

_log = get_logger("warehouse")
_FIRST_RETRY_S = 5.0
_DAYS = 30
_ALARMS = {5, 20}
"""After so many failures in a row somebody should look."""


class Warehouses:
    """The warehouses of this Headwater, and the worker that fills them."""

    name = "warehouse"

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
        self._syncer = Syncer(configdb, log, vault, clock, settings, data)
        self._vault = vault
        self._clock = clock
        self._settings = settings
        self._data = data
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._retry_s: dict[str, float] = {}
        self._due_now: set[str] = set()

    async def add(
        self, *, type_: str, settings: Mapping[str, str], source: str = "", name: str = ""
    ) -> Warehouse:
        """Add a warehouse that lets us in; its first sync begins at once, with all of the log."""
        checked = await asyncio.to_thread(check_settings, type_, settings, self._data)
        await self._try_settings(checked)
        return await self._configdb.run(
            store.add_warehouse,
            self._vault,
            self._clock,
            self._data,
            type_=type_,
            settings=settings,
            source=source,
            name=name,
        )

    async def list(self) -> list[Warehouse]:
        """Return all warehouses, oldest first."""
        return await self._configdb.run(store.list_warehouses, self._vault)

    async def history(
        self, warehouse_id: str, limit: int = 100, before: str = ""
    ) -> builtins.list[Sync]:
        """Return the syncs of a warehouse, newest first; those after the sync `before`."""
        await self._configdb.run(store.get_warehouse, self._vault, warehouse_id)
        return await self._configdb.run(store.list_syncs, warehouse_id, limit, before)

    async def get(self, warehouse_id: str) -> Warehouse:
        """Return one warehouse, or raise `NotFoundError`."""
        return await self._configdb.run(store.get_warehouse, self._vault, warehouse_id)

    async def change(
        self,
        warehouse_id: str,
        *,
        settings: Mapping[str, str] | None = None,
        name: str | None = None,
        schedule: str | None = None,
        enabled: bool | None = None,
    ) -> Warehouse:
        """Change what is given; new settings must let us in."""
        warehouse, checked = await self.get(warehouse_id), None
        if settings is not None:
            kept = warehouse.settings
            checked = await asyncio.to_thread(
                check_settings, warehouse.type, settings, self._data, kept
            )
            await self._try_settings(checked)
        values = {
            "name": name or None,
            "schedule": None if schedule is None else clean_schedule(schedule),
            "enabled": enabled,
        }
        change: Any = store.change_warehouse
        given = {field: value for field, value in values.items() if value is not None}
        self._retry_s.pop(warehouse_id, None)
        return await self._configdb.run(
            partial(change, settings=checked, **given), self._vault, warehouse_id
        )

    async def choose(self, warehouse_id: str, excluded: Sequence[str]) -> Warehouse:
        """Leave out what is named; a source that comes in again is caught up with."""
        before = set((await self.get(warehouse_id)).excluded)
        chosen = await self._configdb.run(clean_excluded, excluded)
        back = {name for name in before - set(chosen) if "." not in name}
        changed = await self._configdb.run(
            partial(store.change_warehouse, excluded=chosen), self._vault, warehouse_id
        )
        for source in await self._configdb.run(list_sources):
            if schema_name(source.slug) in back:
                await self.backfill(warehouse_id, source.id)
        return changed

    async def remove(self, warehouse_id: str) -> None:
        """Forget a warehouse; its tables stay."""
        async with self._locks[warehouse_id]:
            await self._configdb.run(store.remove_warehouse, self._vault, warehouse_id)

    async def backfill(self, warehouse_id: str, source: str = "") -> Reread:
        """Load again all that the log still holds, of one source or all; it begins by itself."""
        warehouse = await self.get(warehouse_id)
        state = await self._log.state(Stream.MESSAGES)
        chosen = (await self._configdb.run(get_source, source)).id if source else None
        if warehouse.source_id and chosen not in {None, warehouse.source_id}:
            raise ConflictError("This warehouse does not load that source.", field="source")
        self._due_now.add(warehouse_id)
        return await self._configdb.run(
            partial(begin_reread, source_id=chosen, last_offset=state.last_offset),
            self._clock,
            warehouse_id,
            state.first_offset,
        )

    async def rereads(self, warehouse_id: str) -> builtins.list[Reread]:
        """Return its parked tables and backfills."""
        return await self._configdb.run(list_rereads, warehouse_id)

    async def rows_by_day(self, warehouse_id: str) -> dict[str, int]:
        """Return how many rows were loaded on each of the last days, of UTC."""
        since = self._clock.now() - timedelta(days=_DAYS)
        return await self._configdb.run(store.count_rows_by_day, warehouse_id, since)

    async def standing(self, warehouse_id: str, usual_s: float) -> Standing:
        """Return how a warehouse stands; `usual_s` is how long the log is kept anyway."""
        warehouse = await self.get(warehouse_id)
        syncs = await self._configdb.run(store.list_syncs, warehouse_id, 2)
        rereads = await self.rereads(warehouse_id)
        return standing_of(
            warehouse, syncs, rereads, await self._waiting(warehouse, rereads, usual_s)
        )

    async def standings(self, usual_s: float) -> builtins.list[Standing]:
        """Return how all warehouses stand, oldest first."""
        return [await self.standing(one.id, usual_s) for one in await self.list()]

    async def _waiting(
        self, warehouse: Warehouse, rereads: Sequence[Reread], usual_s: float
    ) -> Waiting:
        state = await self._log.state(Stream.MESSAGES)
        readers = [reader_of(warehouse.id), *(one.reader for one in rereads)]
        places = [await self._configdb.run(read_position, reader) for reader in readers]
        starts = [max(place.next_offset, state.first_offset) for place in places if place]
        if not starts or min(starts) > state.last_offset:
            return Waiting()
        (entry,) = await self._log.read(
            Stream.MESSAGES, min(starts), max_entries=1, max_bytes=1, wait_s=1.0
        )
        age_s = (self._clock.now() - entry.appended_at).total_seconds()
        entries = state.last_offset - min(starts) + 1
        return Waiting(entries=entries, since=entry.appended_at, holds_log=age_s > usual_s)

    async def oldest(self) -> datetime | None:
        """Return the moment since which the log holds all messages: a backfill begins there."""
        state = await self._log.state(Stream.MESSAGES)
        if state.last_offset < state.first_offset:
            return None
        entries = await self._log.read(
            Stream.MESSAGES, state.first_offset, max_entries=1, max_bytes=1, wait_s=1.0
        )
        return entries[0].appended_at if entries else None

    async def delete_users(self, warehouse_id: str, user_ids: Sequence[str]) -> dict[str, int]:
        """Delete all rows of these users, in every source's schema; return counts by table.

        Say before whom to forget (`sources.forget_before`): else the log brings them back. A table
        that cannot be written stops no other: `TableError` names it in the end, and the same call
        again deletes what is left.
        """
        from headwater.warehouse.erase import Erased, erase

        warehouse = await self.get(warehouse_id)
        async with self._locks[warehouse_id]:
            sources = await self._configdb.run(list_sources)
            longest = identifier_bytes_of(warehouse.settings)
            erased = Erased()
            for schema in (schema_name(source.slug, longest) for source in sources):
                erased += await finish(erase, warehouse.settings, schema, self._scratch(), user_ids)
        erased.check()
        return erased.rows

    async def tables(self, warehouse_id: str) -> dict[str, dict[str, dict[str, Kind]]]:
        """Ask the warehouse for its tables and their columns, by schema."""
        warehouse = await self.get(warehouse_id)
        longest = identifier_bytes_of(warehouse.settings)
        async with self._locks[warehouse_id]:
            found: dict[str, dict[str, dict[str, Kind]]] = {}
            for source in await self._configdb.run(list_sources):
                if warehouse.source_id in {None, source.id}:
                    schema = schema_name(source.slug, longest)
                    ask = partial(self._with_engine, warehouse.settings, schema)
                    found[schema] = await finish(ask, _tables_of)
            return {schema: tables for schema, tables in found.items() if tables}

    async def _try_settings(self, settings: TypedSettings) -> None:
        await finish(self._with_engine, settings, "headwater_check", methodcaller("check"))

    def _with_engine(self, settings: TypedSettings, schema: str, work: Callable[[Any], Any]) -> Any:
        from headwater.warehouse.engines import open_engine

        with open_engine(settings, schema, self._scratch()) as engine:
            return work(engine)

    def _scratch(self) -> Path:
        return self._data / "warehouse" / new_id("tmp")

    async def sync(self, warehouse_id: str, cause: str = "hand") -> Sync:
        """Load everything that the log holds by now; raise what went wrong, after noting it."""
        async with self._locks[warehouse_id]:
            warehouse = await self.get(warehouse_id)
            self._due_now.discard(warehouse_id)
            try:
                done = await self._syncer.sync(warehouse, cause)
            except Exception:
                await self._count_failure(warehouse)
                raise
            if warehouse.failures:
                await self._set_failures(warehouse, 0)
            return done

    async def _count_failure(self, warehouse: Warehouse) -> None:
        failures = warehouse.failures + 1
        await self._set_failures(warehouse, failures)
        if failures in _ALARMS:
            _log.error("warehouse_keeps_failing", warehouse=warehouse.id, failures=failures)

    async def _set_failures(self, warehouse: Warehouse, failures: int) -> None:
        change = partial(store.change_warehouse, failures=failures)
        await self._configdb.run(change, self._vault, warehouse.id)

    async def run(self) -> None:
        """Sync what is due, for ever."""
        while True:
            await self.step()
            await asyncio.sleep(self._settings.poll_s)

    async def step(self) -> int:
        """Sync each warehouse that is due and has something to load; return how many did."""
        log = await self._log.state(Stream.MESSAGES)
        done = 0
        for warehouse in await self.list():
            if warehouse.enabled and await self._is_due(warehouse, log):
                done += await self._try_sync(warehouse)
        return done

    async def _is_due(self, warehouse: Warehouse, log: LogState) -> bool:
        if warehouse.id in self._due_now:
            return True
        if warehouse.id in self._retry_s:
            return self._clock.monotonic_s() >= self._retry_s[warehouse.id]
        latest = await self._configdb.run(store.list_syncs, warehouse.id, 1)
        default = timedelta(seconds=self._settings.sync_every_s)
        schedule = read_schedule(warehouse.schedule, default)
        if latest and self._clock.now() < schedule.next_after(latest[0].started_at, "UTC"):
            return False
        place = await self._configdb.run(read_position, reader_of(warehouse.id))
        first = max(place.next_offset if place else 0, log.first_offset)
        return first <= log.last_offset or bool(await self.rereads(warehouse.id))

    async def _try_sync(self, warehouse: Warehouse) -> bool:
        try:
            await self.sync(warehouse.id, "schedule")
        except Exception as err:  # noqa: BLE001 - one sick warehouse must not stop the others
            wait_s = backoff_s(
                warehouse.failures + 1, first_s=_FIRST_RETRY_S, cap_s=self._settings.sync_every_s
            )
            known = isinstance(err, HeadwaterError)
            _log.error("sync_failed", warehouse=warehouse.id, exc_info=None if known else err)
            self._retry_s[warehouse.id] = self._clock.monotonic_s() + wait_s
            return False
        self._retry_s.pop(warehouse.id, None)
        return True


def _tables_of(engine: Any) -> dict[str, dict[str, Kind]]:
    found: dict[str, dict[str, Kind]] = engine.read_columns(engine.list_tables())
    return found
