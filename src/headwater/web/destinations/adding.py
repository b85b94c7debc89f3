"""Add a destination of a type to a source, by a form.

In: what was filled in. Out: the destination's page, or the form again with the fault beside its
field. Secrets that were made are shown in the answer, and never again.
"""

from collections.abc import Mapping

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.destinations import add_destination, find_destination
from headwater.sources import get_source, list_sources
from headwater.web.auth import needs
from headwater.web.destinations.fields import make_fields, read_fields
from headwater.web.destinations.place import fault_of
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services


class AddingController(Controller):
    """`/destinations/add/{type}`."""

    path = "/destinations/add/{type_:str}"
    include_in_schema = False
    guards = (needs("admin"),)

    @get()
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], type_: FromPath[str]
    ) -> Template:
        """Show the empty form."""
        return await _form(request, services, type_, {})

    @post()
    async def add(
        self, request: AnyRequest, services: NamedDependency[Services], type_: FromPath[str]
    ) -> Template | Redirect:
        """Check and add what was filled in."""
        form = await request.form()
        values = read_fields(find_destination(type_).declaration, form)
        typed = {name: str(form.get(name, "")) for name in ("name", "source")}
        try:
            source = await services.configdb.run(get_source, typed["source"])
            instance, secrets = await services.configdb.run(
                add_destination, services.vault, services.clock, services.egress,
                source_id=source.id, kind=type_, values=values, name=typed["name"],
            )  # fmt: skip
        except HeadwaterError as err:
            return await _form(request, services, type_, values, typed, err)
        url = f"/destinations/{instance.id}?said=added"
        if secrets:
            return page(
                request, "destinations/secrets.html", instance=instance, secrets=secrets, url=url
            )
        return see_other(url)


async def _form(
    request: AnyRequest,
    services: Services,
    type_: str,
    values: Mapping[str, str],
    typed: Mapping[str, str] | None = None,
    err: HeadwaterError | None = None,
) -> Template:
    declared = find_destination(type_).declaration
    fault = (err.field if err else "", fault_of(err))
    fields = make_fields(declared, values, masked={}, error=fault)
    named = fault[0] in {"name", "source"} or any(field.error for field in fields)
    return page(
        request,
        "destinations/add.html",
        status=int(err.status) if err else 200,
        declared=declared,
        sources=await services.configdb.run(list_sources),
        fields=fields,
        typed=typed or {"name": "", "source": request.query_params.get("source", "")},
        failed=fault[0],
        error=fault[1],
        beside=named,
    )
