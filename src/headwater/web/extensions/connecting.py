"""Connect an extension by a form, or change how it is connected.

In: what was filled in. Out: the connection's page, or the form again with the fault beside its
field. The secret is tried at the endpoint first, unless a person says not to.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.web.api.extensions import complete_from_source
from headwater.web.auth import needs
from headwater.web.extensions.fields import make_fields, read_fields
from headwater.web.extensions.place import Place, find_place
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_UNCHECKED = "unchecked"


class ConnectingController(Controller):
    """`/extensions/{type}/settings`."""

    path = "/extensions/{type_:str}/settings"
    include_in_schema = False
    guards = (needs("admin"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str] = "",
    ) -> Template:
        """Show the form, with what is known filled in."""
        place = await find_place(services, app, type_)
        return _form(request, place, place.status.settings if place.status else {})

    @post()
    async def connect(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str] = "",
    ) -> Template | Redirect:
        """Check and save what was filled in."""
        place = await find_place(services, app, type_)
        form = await request.form()
        typed = read_fields(place.entry, form)
        unchecked = bool(form.get(_UNCHECKED))
        try:
            values = await services.configdb.run(complete_from_source, type_, typed)
            await services.extensions.connect(place.app, type_, values, check=not unchecked)
        except HeadwaterError as err:
            return _form(request, place, typed, err, unchecked=unchecked)
        return see_other(place.url(said="connected"))


def _form(
    request: AnyRequest,
    place: Place,
    values: Mapping[str, Any],
    err: HeadwaterError | None = None,
    *,
    unchecked: bool = False,
) -> Template:
    masked = place.status.settings[place.entry.secret.name] if place.status else ""
    text = f"{err.message} {err.hint}".strip() if err else ""
    fields = make_fields(place.entry, values, masked=masked, error=(err.field if err else "", text))
    beside = any(field.error for field in fields)
    return page(
        request,
        "extensions/settings.html",
        status=int(err.status) if err else 200,
        apps=place.apps,
        app=place.app,
        entry=place.entry,
        fields=fields,
        error="" if beside else text,
        unchecked=unchecked,
        connected=place.status is not None,
        action=place.url("/settings"),
        back=place.url() if place.status else f"/extensions?app={place.app.id}",
    )
