"""Add a warehouse by a form, or change the settings of one.

In: what was filled in. Out: the warehouse's page, or the form again with the fault beside its
field. The warehouse is asked before anything is saved. A secret is never written into a page.
"""

from collections.abc import Mapping

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.sources import list_sources
from headwater.warehouse import Warehouse, WarehouseType, find_type, show_settings
from headwater.web.auth import needs
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_PREFIX = "settings."


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form."""

    name: str
    title: str
    help: str
    value: str
    required: bool
    secret: bool
    choices: tuple[str, ...]
    hint: str
    error: str


class AddingController(Controller):
    """`/warehouses/add/{type}` and `/warehouses/{id}/settings`."""

    path = "/warehouses"
    include_in_schema = False
    guards = (needs("admin"),)

    @get("/add/{type_:str}")
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], type_: FromPath[str]
    ) -> Template:
        """Show the empty form."""
        return await _form(request, services, find_type(type_), {})

    @post("/add/{type_:str}")
    async def add(
        self, request: AnyRequest, services: NamedDependency[Services], type_: FromPath[str]
    ) -> Template | Redirect:
        """Check and add what was filled in."""
        entry, form = find_type(type_), await request.form()
        typed = {name: str(value) for name, value in form.items()}
        try:
            added = await services.warehouses.add(
                type_=type_,
                settings=_read(entry, typed),
                source=typed.get("source", ""),
                name=typed.get("name", "").strip(),
            )
        except HeadwaterError as err:
            return await _form(request, services, entry, typed, err=err)
        return see_other(f"/warehouses/{added.id}?said=added")

    @get("/{warehouse_id:str}/settings")
    async def show_known(
        self, request: AnyRequest, services: NamedDependency[Services], warehouse_id: FromPath[str]
    ) -> Template:
        """Show the form with what is known."""
        known = await services.warehouses.get(warehouse_id)
        shown = {_PREFIX + name: text for name, text in show_settings(known.settings).items()}
        return await _form(request, services, find_type(known.type), shown, known)

    @post("/{warehouse_id:str}/settings")
    async def change(
        self, request: AnyRequest, services: NamedDependency[Services], warehouse_id: FromPath[str]
    ) -> Template | Redirect:
        """Check and save what was filled in."""
        known = await services.warehouses.get(warehouse_id)
        entry, form = find_type(known.type), await request.form()
        typed = {name: str(value) for name, value in form.items()}
        try:
            await services.warehouses.change(
                known.id, settings=_read(entry, typed), name=typed.get("name", "").strip()
            )
        except HeadwaterError as err:
            return await _form(request, services, entry, typed, known, err)
        return see_other(f"/warehouses/{known.id}?said=saved")


def _read(entry: WarehouseType, typed: Mapping[str, str]) -> dict[str, str]:
    return {field.name: typed.get(_PREFIX + field.name, "") for field in entry.fields}


async def _form(
    request: AnyRequest,
    services: Services,
    entry: WarehouseType,
    typed: Mapping[str, str],
    known: Warehouse | None = None,
    err: HeadwaterError | None = None,
) -> Template:
    fault = f"{err.message} {err.hint}".strip() if err else ""
    inputs = [
        Input(
            name=_PREFIX + field.name,
            title=field.title,
            help=field.help,
            value="" if field.secret else typed.get(_PREFIX + field.name, field.default),
            required=field.required and not (field.secret and known),
            secret=field.secret,
            choices=field.choices,
            hint="stored; leave empty to keep it" if field.secret and known else "",
            error=fault if err and err.field == _PREFIX + field.name else "",
        )
        for field in entry.fields
    ]
    return page(
        request,
        "warehouses/form.html",
        status=int(err.status) if err else 200,
        entry=entry,
        known=known,
        inputs=inputs,
        nickname=typed.get("name", known.name if known else ""),
        chosen=typed.get("source", ""),
        sources=await services.configdb.run(list_sources),
        error="" if any(one.error for one in inputs) else fault,
    )
