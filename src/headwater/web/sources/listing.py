"""Show all sources, the catalogue of what can be added, and the form that adds one.

In: what was filled in. Out: pages; a new source's page, or the form again with the fault beside its
field.
"""

from collections import Counter
from datetime import timedelta

import msgspec
import sqlalchemy as sa
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.destinations import list_destinations
from headwater.sources import (
    CATALOG,
    NO_SOURCE,
    Figures,
    Source,
    add_hours,
    add_source,
    find_type,
    list_refused,
    list_sources,
    read_hours,
)
from headwater.web.auth import needs
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_TODAY = timedelta(hours=24)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One source of the list."""

    source: Source
    type: str
    destinations: int


class SourceListController(Controller):
    """`/sources` and `/sources/catalog`."""

    path = "/sources"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(self, request: AnyRequest, services: NamedDependency[Services]) -> Template:
        """Show every source."""
        return page(
            request,
            "sources/list.html",
            rows=await services.configdb.look(_rows),
            strangers=await figures_of_today(services, NO_SOURCE),
            refused=await services.configdb.look(list_refused, NO_SOURCE),
            may_add=may_add(request),
        )

    @get("/catalog")
    async def catalog(self, request: AnyRequest) -> Template:
        """Show every type."""
        return page(request, "sources/catalog.html", types=CATALOG, may_add=may_add(request))


class AddingSourceController(Controller):
    """`/sources/add/{type}`."""

    path = "/sources/add/{type_:str}"
    include_in_schema = False
    guards = (needs("admin"),)

    @get()
    async def show(self, request: AnyRequest, type_: FromPath[str]) -> Template:
        """Show the empty form."""
        return _form(request, type_)

    @post()
    async def add(
        self, request: AnyRequest, services: NamedDependency[Services], type_: FromPath[str]
    ) -> Template | Redirect:
        """Check and add what was filled in; the source is live at once."""
        form = await request.form()
        name, version = str(form.get("name", "")), str(form.get("payload_version", ""))
        try:
            source = await services.configdb.run(add_source, services.clock, type_, name, version)
        except HeadwaterError as err:
            return _form(request, type_, name, version, err)
        return see_other(f"/sources/{source.slug}?said=added")


def _form(
    request: AnyRequest,
    type_: str,
    name: str = "",
    version: str = "",
    err: HeadwaterError | None = None,
) -> Template:
    return page(
        request,
        "sources/add.html",
        status=int(err.status) if err else 200,
        declared=find_type(type_),
        nickname=name,
        version=version,
        failed=err.field if err else "",
        error=err.message if err else "",
    )


async def figures_of_today(services: Services, source_id: str) -> Figures:
    """Return what became of what came within the last 24 hours."""
    now = services.clock.now()
    return add_hours(await services.configdb.look(read_hours, source_id, now - _TODAY, now))


def may_add(request: AnyRequest) -> bool:
    """Tell whether who looks may change sources; the guards rule, this hides buttons."""
    return "admin" in request.user.scopes


def _rows(connection: sa.Connection) -> list[Row]:
    used = Counter(one.source_id for one in list_destinations(connection) if one.enabled)
    return [
        Row(source=source, type=find_type(source.type).title, destinations=used[source.id])
        for source in list_sources(connection)
    ]
