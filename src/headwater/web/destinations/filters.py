"""Show and change the filters of a destination.

In: forms. Out: the list, one filter's form with the fault beside its field.
"""

from typing import Any

import msgspec
from litestar import Controller, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError, InvalidInputError
from headwater.destinations import Changes, Filter
from headwater.web.auth import needs
from headwater.web.destinations.lists import (
    NEW,
    act,
    as_json,
    field_within,
    position_of,
    put,
    save,
)
from headwater.web.destinations.notation import (
    describe_condition,
    read_condition,
    write_condition,
)
from headwater.web.destinations.place import NOTICES, Place, fault_of, find_place, may
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_CHOSEN_BY_FIELDS = ("allow", "block")
_KINDS = {
    "drop": "Drop: these are not sent",
    "only": "Only: nothing but these is sent",
    "sample": "Sample: a share of these is sent",
    "allow": "Allow fields: of these no other field is sent",
    "block": "Block fields: of these the fields are not sent",
}


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """A filter as it stands in the form."""

    kind: str = "drop"
    name: str = ""
    when: str = ""
    percent: str = "10"
    by: str = "message"
    fields: str = ""
    enabled: bool = True


class FiltersController(Controller):
    """`/destinations/{id}/filters`."""

    path = "/destinations/{destination_id:str}/filters"
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
        """Show the filters in their order."""
        place = await find_place(services, destination_id)
        return page(
            request,
            "destinations/filters.html",
            place=place,
            kinds=_KINDS,
            sentences=[_sentence(one) for one in place.instance.filters],
            notice=NOTICES.get(said, ""),
            may_change=may(request, "admin"),
        )

    @get("/{position:str}", guards=[needs("admin")])
    async def edit(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        position: FromPath[str],
    ) -> Template:
        """Show one filter's form."""
        place = await find_place(services, destination_id)
        number = position_of(place.instance.filters, position)
        typed = Typed() if position == NEW else _typed(place.instance.filters[number])
        return _form(request, place, position, typed)

    @post("/{position:str}", guards=[needs("admin")])
    async def save(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        position: FromPath[str],
    ) -> Template | Redirect:
        """Check and save one filter."""
        place = await find_place(services, destination_id)
        number = position_of(place.instance.filters, position)
        typed = _read(await request.form())
        try:
            filters = put(as_json(place.instance.filters), number, _entry(typed))
            await save(services, place.instance, Changes(filters=filters))
        except HeadwaterError as err:
            failed = field_within(err.field, "filters", number)
            return _form(request, place, position, typed, err, failed)
        return see_other(place.url("/filters", said="saved"))

    @post("/{position:str}/do/{what:str}", guards=[needs("admin")])
    async def do(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        position: FromPath[str],
        what: FromPath[str],
    ) -> Redirect:
        """Switch, move up or remove one filter."""
        place = await find_place(services, destination_id)
        number = position_of(place.instance.filters, "" if position == NEW else position)
        filters = act(as_json(place.instance.filters), number, what)
        await save(services, place.instance, Changes(filters=filters))
        return see_other(place.url("/filters", said="saved"))


def _form(
    request: AnyRequest,
    place: Place,
    position: str,
    typed: Typed,
    err: HeadwaterError | None = None,
    failed: str = "",
) -> Template:
    return page(
        request,
        "destinations/filter.html",
        status=int(err.status) if err else 200,
        place=place,
        kinds=_KINDS,
        position=position,
        typed=typed,
        failed=failed.partition(".")[0].partition("[")[0],
        error=fault_of(err),
    )


def _read(form: FormMultiDict) -> Typed:
    names = ("kind", "name", "when", "percent", "by", "fields")
    texts = {name: str(form.get(name, "")) for name in names}
    return Typed(**texts, enabled=bool(form.get("enabled")))


def _entry(typed: Typed) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": typed.kind,
        "name": typed.name,
        "enabled": typed.enabled,
        "when": read_condition(typed.when, "when"),
    }
    if typed.kind in _CHOSEN_BY_FIELDS:
        entry["fields"] = typed.fields.split()
    if typed.kind == "sample":
        entry |= {"share": _share(typed.percent), "by": typed.by}
    return entry


def _share(percent: str) -> float:
    try:
        return float(percent) / 100
    except ValueError as err:
        raise InvalidInputError("The share is a number of per cent.", field="share") from err


def _typed(one: Filter) -> Typed:
    kind = str(msgspec.to_builtins(one)["kind"])
    return Typed(
        kind=kind,
        name=one.name,
        when=write_condition(one.when),
        percent=f"{getattr(one, 'share', 0.1) * 100:g}",
        by=getattr(one, "by", "message"),
        fields="\n".join(getattr(one, "fields", ())),
        enabled=one.enabled,
    )


def _sentence(one: Filter) -> str:
    typed = _typed(one)
    of = describe_condition(one.when)
    match typed.kind:
        case "drop":
            return f"Drops {of}"
        case "only":
            return f"Sends only {of}"
        case "sample":
            return f"Sends {typed.percent} % of {of}, by {typed.by}"
    verb = "Sends only the fields" if typed.kind == "allow" else "Leaves out"
    return f"{verb} {', '.join(typed.fields.split())} of {of}"
