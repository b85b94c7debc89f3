"""Manage warehouses by HTTP: list, add, sync now, history.

In: JSON. Out: JSON. A sync is answered when it is done.
"""

from datetime import datetime

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.warehouse import Sync, Warehouse, show_settings
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services

MOST_SYNCS = 10_000


class NewWarehouse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/warehouses`."""

    type: str
    settings: dict[str, str] = {}
    source: str = ""
    """Slug or id; empty: all sources."""
    name: str = ""


class WarehouseItem(msgspec.Struct, frozen=True, kw_only=True):
    """One warehouse; secrets are left out."""

    id: str
    type: str
    name: str
    source_id: str | None
    enabled: bool
    created_at: datetime
    settings: dict[str, str]


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
        items = [_item(warehouse) for warehouse in await services.warehouses.list()]
        return page_of(items, lambda item: item.id, limit, cursor)

    @post(guards=[needs("admin")])
    async def create(
        self, services: NamedDependency[Services], data: JSONBody[NewWarehouse]
    ) -> WarehouseItem:
        """Add a warehouse; it gets all messages that the log still holds, and the coming ones."""
        warehouse = await services.warehouses.add(
            type_=data.type, settings=data.settings, source=data.source, name=data.name
        )
        return _item(warehouse)

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
        syncs = await services.warehouses.history(warehouse_id, MOST_SYNCS)
        return page_of(syncs, lambda sync: sync.id, limit, cursor)


def _item(warehouse: Warehouse) -> WarehouseItem:
    return WarehouseItem(
        id=warehouse.id,
        type=warehouse.type,
        name=warehouse.name,
        source_id=warehouse.source_id,
        enabled=warehouse.enabled,
        created_at=warehouse.created_at,
        settings=show_settings(warehouse.settings),
    )
