"""Keep warehouses up to date: on a schedule, or when somebody asks.

In: the clock, and wishes. Out: syncs (`sync.py`), one at a time for each warehouse. A warehouse
that fails is tried again with growing patience; it keeps its place, and the others go on.
"""

import asyncio
import builtins
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from headwater.base.clock import Clock
from headwater.base.errors import HeadwaterError
from headwater.base.retry import backoff_s
from headwater.base.settings import WarehouseSettings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, read_position
from headwater.eventlog import EventLog, LogState, Stream
from headwater.warehouse import store
from headwater.warehouse.store import Sync, Warehouse, reader_of
from headwater.warehouse.sync import Syncer

_log = get_logger("warehouse")
_FIRST_RETRY_S = 5.0


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
        self._syncer = Syncer(configdb, log, clock, settings, data)
        self._vault = vault
        self._clock = clock
        self._settings = settings
        self._data = data
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._due_s: dict[str, float] = {}
        self._failures: Counter[str] = Counter()

    async def add(
        self, *, type_: str, settings: Mapping[str, str], source: str = "", name: str = ""
    ) -> Warehouse:
        """Add a warehouse; its first sync begins at once, with all that the log still holds."""
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

    async def history(self, warehouse_id: str, limit: int = 100) -> builtins.list[Sync]:
        """Return the syncs of a warehouse, newest first."""
        await self._configdb.run(store.get_warehouse, self._vault, warehouse_id)
        return await self._configdb.run(store.list_syncs, warehouse_id, limit)

    async def sync(self, warehouse_id: str) -> Sync:
        """Load everything that the log holds by now; raise what went wrong, after noting it."""
        warehouse = await self._configdb.run(store.get_warehouse, self._vault, warehouse_id)
        async with self._locks[warehouse_id]:
            return await self._syncer.sync(warehouse)

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
        if self._clock.monotonic_s() < self._due_s.get(warehouse.id, 0.0):
            return False
        place = await self._configdb.run(read_position, reader_of(warehouse.id))
        first = max(place.next_offset if place else 0, log.first_offset)
        return first <= log.last_offset

    async def _try_sync(self, warehouse: Warehouse) -> bool:
        try:
            await self.sync(warehouse.id)
        except Exception as err:  # noqa: BLE001 - one sick warehouse must not stop the others
            self._failures[warehouse.id] += 1
            wait_s = backoff_s(
                self._failures[warehouse.id],
                first_s=_FIRST_RETRY_S,
                cap_s=self._settings.sync_every_s,
            )
            known = isinstance(err, HeadwaterError)
            _log.error("sync_failed", warehouse=warehouse.id, exc_info=None if known else err)
            self._due_s[warehouse.id] = self._clock.monotonic_s() + wait_s
            return False
        self._failures.pop(warehouse.id, None)
        self._due_s[warehouse.id] = self._clock.monotonic_s() + self._settings.sync_every_s
        return True
