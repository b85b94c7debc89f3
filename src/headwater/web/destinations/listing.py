"""Show all destinations, and the catalogue of what can be added.

In: nothing but who looks. Out: a list with the state of each; one card for each type.
"""

import msgspec
import sqlalchemy as sa
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.destinations import DESTINATIONS, Instance, list_destinations
from headwater.sources import list_sources
from headwater.web.auth import needs
from headwater.web.destinations.place import NOTICES, may
from headwater.web.pages import AnyRequest, page
from headwater.web.services import Services


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One destination of the list."""

    instance: Instance
    source: str


class ListingController(Controller):
    """`/destinations` and `/destinations/catalog`."""

    path = "/destinations"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], said: FromQuery[str] = ""
    ) -> Template:
        """Show every destination."""
        rows = await services.configdb.run(_rows)
        return page(
            request,
            "destinations/list.html",
            rows=rows,
            notice=NOTICES.get(said, ""),
            may_add=may(request, "admin"),
        )

    @get("/catalog")
    async def catalog(self, request: AnyRequest) -> Template:
        """Show every type."""
        types = [one.declaration for one in DESTINATIONS]
        return page(
            request, "destinations/catalog.html", types=types, may_add=may(request, "admin")
        )


def _rows(connection: sa.Connection) -> list[Row]:
    names = {source.id: source.name for source in list_sources(connection)}
    found = list_destinations(connection)
    return [Row(instance=one, source=names[one.source_id]) for one in found]
