"""Show one destination, and change its settings, its state and its secret.

In: forms. Out: the page, or the form again with the fault beside its field. A new secret is shown
in the answer, and never again.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError, InvalidInputError, NotFoundError
from headwater.destinations import (
    Changes,
    Rotates,
    change_destination,
    remove_destination,
    rotate_secret,
    set_destination_enabled,
    show_settings,
)
from headwater.web.auth import needs
from headwater.web.destinations.fields import make_fields, read_fields
from headwater.web.destinations.notation import describe_condition
from headwater.web.destinations.place import NOTICES, Place, fault_of, find_place, may
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_KEEP_OLD_SECRET = timedelta(hours=24)


class DestinationController(Controller):
    """`/destinations/{id}`."""

    path = "/destinations/{destination_id:str}"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        said: FromQuery[str] = "",
    ) -> Template:
        """Show what it is, what it gets and where it sends."""
        place = await find_place(services, destination_id)
        shown = show_settings(services.vault, place.instance)
        titles = {setting.name: setting.title for setting in place.declared.settings}
        return page(
            request,
            "destinations/overview.html",
            place=place,
            settings=[(titles[name], shown[name]) for name in titles if shown.get(name)],
            notice=NOTICES.get(said, ""),
            may_change=may(request, "admin"),
            describe=describe_condition,
        )

    @get("/settings", guards=[needs("admin")])
    async def edit(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
    ) -> Template:
        """Show the form of its settings."""
        place = await find_place(services, destination_id)
        return _form(request, services, place, show_settings(services.vault, place.instance))

    @post("/settings", guards=[needs("admin")])
    async def save(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
    ) -> Template | Redirect:
        """Check and save what was filled in; secrets left empty stay."""
        place = await find_place(services, destination_id)
        form = await request.form()
        changes = Changes(
            name=str(form.get("name", "")),
            settings=read_fields(place.declared, form),
            keeps_order=bool(form.get("keeps_order")),
        )
        try:
            await services.configdb.run(
                change_destination, services.vault, services.egress, destination_id, changes
            )
        except HeadwaterError as err:
            return _form(request, services, place, changes.settings or {}, changes, err)
        return see_other(place.url(said="saved"))

    @post("/do/{act:str}", guards=[needs("admin")])
    async def do(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        act: FromPath[str],
    ) -> Template | Redirect:
        """Enable, disable, rotate the secret, or remove."""
        place = await find_place(services, destination_id)
        if act not in _ACTS:
            raise NotFoundError(f"There is nothing to do by the name of {act!r}.")
        return await _ACTS[act](request, services, place)


async def _enable(_: AnyRequest, services: Services, place: Place) -> Redirect:
    return await _switch(services, place, enabled=True)


async def _disable(_: AnyRequest, services: Services, place: Place) -> Redirect:
    return await _switch(services, place, enabled=False)


async def _switch(services: Services, place: Place, *, enabled: bool) -> Redirect:
    await services.configdb.run(
        set_destination_enabled, services.clock, place.instance.id, enabled=enabled
    )
    return see_other(place.url(said="enabled" if enabled else "disabled"))


async def _rotate(request: AnyRequest, services: Services, place: Place) -> Template:
    instance, secrets = await services.configdb.run(
        rotate_secret, services.vault, services.clock, place.instance.id, _KEEP_OLD_SECRET
    )
    return page(
        request, "destinations/secrets.html", instance=instance, secrets=secrets, url=place.url()
    )


async def _remove(request: AnyRequest, services: Services, place: Place) -> Redirect:
    form = await request.form()
    if not form.get("sure"):
        raise InvalidInputError("Tick that you are sure, then remove it.", field="sure")
    await services.configdb.run(remove_destination, place.instance.id)
    return see_other("/destinations?said=removed")


_ACTS: Mapping[str, Callable[[AnyRequest, Services, Place], Awaitable[Template | Redirect]]] = {
    "enable": _enable,
    "disable": _disable,
    "rotate": _rotate,
    "remove": _remove,
}


def _form(
    request: AnyRequest,
    services: Services,
    place: Place,
    values: Mapping[str, str],
    typed: Changes | None = None,
    err: HeadwaterError | None = None,
) -> Template:
    fault = (err.field if err else "", fault_of(err))
    masked = show_settings(services.vault, place.instance)
    fields = make_fields(place.declared, values, masked=masked, error=fault)
    order = typed.keeps_order if typed else place.instance.keeps_order
    return page(
        request,
        "destinations/settings.html",
        status=int(err.status) if err else 200,
        place=place,
        fields=fields,
        nickname=typed.name if typed else place.instance.name,
        keeps_order=order,
        failed=fault[0],
        error=fault[1],
        beside=fault[0] == "name" or any(field.error for field in fields),
        rotates=isinstance(place.destination, Rotates),
    )
