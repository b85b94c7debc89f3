"""Show all warehouses with their state, and the types that can be added.

In: nothing but who looks. Out: one page.
"""

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.warehouse import CATALOG, Warehouse
from headwater.web.auth import needs
from headwater.web.pages import AnyRequest, page
from headwater.web.services import Services
from headwater.web.warehouses.telling import Health, find_title, tell_health


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One warehouse of the list."""

    warehouse: Warehouse
    title: str
    health: Health


class ListingController(Controller):
    """`/warehouses`."""

    path = "/warehouses"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], said: FromQuery[str] = ""
    ) -> Template:
        """Show every warehouse and every type."""
        return page(
            request,
            "warehouses/list.html",
            rows=[await _row(services, one) for one in await services.warehouses.list()],
            types=CATALOG,
            notice="Removed: its tables are still there." if said == "removed" else "",
            may_add="admin" in request.user.scopes,
        )


async def _row(services: Services, warehouse: Warehouse) -> Row:
    usual_s = services.settings.eventlog.keep_consumed_s
    standing = await services.warehouses.standing(warehouse.id, usual_s)
    return Row(
        warehouse=warehouse,
        title=find_title(warehouse.type),
        health=tell_health(standing),
    )
