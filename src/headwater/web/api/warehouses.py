"""Manage warehouses by HTTP: types, add, change, sync now, history, tables, backfill.

In: JSON. Out: JSON. A sync is answered when it is done.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.sources import list_sources
from headwater.warehouse import CATALOG, Reread, Sync, Warehouse, show_settings
from headwater.web.api.paging import Page, check_limit, page_of
from headwater.web.auth import needs
from headwater.web.services import Services


class NewWarehouse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/warehouses`."""

    type: str
    settings: dict[str, str] = {}
    source: str = ""
    """Slug or id; empty: all sources."""
    name: str = ""


class WarehouseChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PATCH /api/v1/warehouses/{id}`; what is left out stays as it is."""

    name: str | None = None
    enabled: bool | None = None
    """False: paused; nothing is loaded but by hand."""
    schedule: str | None = None
    """`every 5 minutes`, `hourly`, `daily 03:00` (UTC); empty: the server's default."""
    settings: dict[str, str] | None = None
    """All of them; a secret that is left out stays."""
    excluded: list[str] | None = None
    """What is left out: `schema`, `schema.table` or `schema.table.column`."""


class NewBackfill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/warehouses/{id}/backfill`."""

    source: str = ""
    """Slug or id; empty: all that the warehouse loads."""


class TypeField(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of a type."""

    name: str
    title: str
    help: str
    required: bool
    secret: bool
    default: str
    choices: tuple[str, ...]


class TypeItem(msgspec.Struct, frozen=True, kw_only=True):
    """One type of warehouse."""

    type: str
    title: str
    description: str
    tested: bool
    """False: the service could not be had where Headwater is tested."""
    extra: str
    fields: list[TypeField]


class WarehouseItem(msgspec.Struct, frozen=True, kw_only=True):
    """One warehouse; secrets are left out."""

    id: str
    type: str
    name: str
    source_id: str | None
    source: str
    """The source's slug; empty: all sources."""
    enabled: bool
    created_at: datetime
    settings: dict[str, str]
    schedule: str
    excluded: list[str]
    failures: int
    """Syncs that failed, one after the other."""


class WarehouseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one warehouse does."""

    warehouse: WarehouseItem
    rereads: list[Reread]
    """Tables that are parked until they can be loaded again, and backfills on their way."""
    backfill_from: datetime | None
    """A backfill begins here: what was received before is no longer held."""
    rows_by_day: dict[str, int]
    """Rows loaded on each of the last 30 days (UTC)."""


class WarehousesController(Controller):
    """`/api/v1/warehouses`."""

    path = "/api/v1/warehouses"
    tags = ("Warehouses",)

    @get(guards=[needs("read")])
    async def list_all(
        self,
        services: NamedDependency[Services],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[WarehouseItem]:
        """List the warehouses, oldest first."""
        slugs = await _slugs(services)
        items = [_item(warehouse, slugs) for warehouse in await services.warehouses.list()]
        return page_of(items, lambda item: item.id, limit, cursor)

    @post(guards=[needs("admin")])
    async def create(
        self, services: NamedDependency[Services], data: JSONBody[NewWarehouse]
    ) -> WarehouseItem:
        """Add a warehouse; it gets all messages that the log still holds, and the coming ones."""
        warehouse = await services.warehouses.add(
            type_=data.type, settings=data.settings, source=data.source, name=data.name
        )
        return _item(warehouse, await _slugs(services))

    @get("/types", guards=[needs("read")], sync_to_thread=False)
    def types(self) -> list[TypeItem]:
        """List the types of warehouse, with what each wants to be told."""
        return [msgspec.convert(entry, TypeItem, from_attributes=True) for entry in CATALOG]

    @get("/{warehouse_id:str}", guards=[needs("read")])
    async def show(
        self, services: NamedDependency[Services], warehouse_id: FromPath[str]
    ) -> WarehouseStatus:
        """Show a warehouse: its settings, what is parked, rows by day."""
        warehouses = services.warehouses
        return WarehouseStatus(
            warehouse=_item(await warehouses.get(warehouse_id), await _slugs(services)),
            rereads=await warehouses.rereads(warehouse_id),
            backfill_from=await warehouses.oldest(),
            rows_by_day=await warehouses.rows_by_day(warehouse_id),
        )

    @patch("/{warehouse_id:str}", guards=[needs("admin")])
    async def change(
        self,
        services: NamedDependency[Services],
        warehouse_id: FromPath[str],
        data: JSONBody[WarehouseChange],
    ) -> WarehouseItem:
        """Change a warehouse; new settings must let us in."""
        if data.excluded is not None:
            await services.warehouses.choose(warehouse_id, data.excluded)
        changed = await services.warehouses.change(
            warehouse_id,
            settings=data.settings,
            name=data.name,
            schedule=data.schedule,
            enabled=data.enabled,
        )
        return _item(changed, await _slugs(services))

    @delete("/{warehouse_id:str}", guards=[needs("admin")])
    async def remove(
        self, services: NamedDependency[Services], warehouse_id: FromPath[str]
    ) -> None:
        """Forget a warehouse; its tables stay as they are."""
        await services.warehouses.remove(warehouse_id)

    @post("/{warehouse_id:str}/backfill", guards=[needs("write")])
    async def backfill(
        self,
        services: NamedDependency[Services],
        warehouse_id: FromPath[str],
        data: JSONBody[NewBackfill],
    ) -> Reread:
        """Load again all that the log still holds; it begins within seconds."""
        return await services.warehouses.backfill(warehouse_id, data.source)

    @get("/{warehouse_id:str}/tables", guards=[needs("read")])
    async def tables(
        self, services: NamedDependency[Services], warehouse_id: FromPath[str]
    ) -> dict[str, dict[str, dict[str, str]]]:
        """Ask the warehouse for its tables and the types of their columns, by schema."""
        found = await services.warehouses.tables(warehouse_id)
        return {
            schema: {
                table: {column: kind.value for column, kind in columns.items()}
                for table, columns in tables.items()
            }
            for schema, tables in found.items()
        }

    @post("/{warehouse_id:str}/sync", guards=[needs("write")], status_code=200)
    async def sync(self, services: NamedDependency[Services], warehouse_id: FromPath[str]) -> Sync:
        """Load everything that the log holds by now."""
        return await services.warehouses.sync(warehouse_id)

    @get("/{warehouse_id:str}/syncs", guards=[needs("read")])
    async def history(
        self,
        services: NamedDependency[Services],
        warehouse_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[Sync]:
        """List the syncs of a warehouse, newest first."""
        most = check_limit(limit)
        found = await services.warehouses.history(warehouse_id, most + 1, cursor)
        more = found[most - 1].id if len(found) > most else None
        return Page(items=found[:most], next_cursor=more)


async def _slugs(services: Services) -> dict[str | None, str]:
    return {source.id: source.slug for source in await services.configdb.run(list_sources)}


def _item(warehouse: Warehouse, slugs: Mapping[str | None, str]) -> WarehouseItem:
    return WarehouseItem(
        id=warehouse.id,
        type=warehouse.type,
        name=warehouse.name,
        source_id=warehouse.source_id,
        source=slugs.get(warehouse.source_id, ""),
        enabled=warehouse.enabled,
        created_at=warehouse.created_at,
        settings=show_settings(warehouse.settings),
        schedule=warehouse.schedule,
        excluded=warehouse.excluded,
        failures=warehouse.failures,
    )
