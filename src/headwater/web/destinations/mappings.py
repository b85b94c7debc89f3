"""Show and change the mappings of a destination, and try one on a message.

In: forms. Out: the list; one mapping's form with the fault beside its field, and what it would make
of a message. Trying sends nothing and stores nothing.
"""

from typing import Any

import msgspec
from litestar import Controller, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.destinations import (
    Action,
    Changes,
    Mapped,
    Mapping,
    as_test_message,
    map_message,
    recent_messages,
    sample_body,
)
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
    read_value,
    write_condition,
    write_value,
)
from headwater.web.destinations.place import NOTICES, Place, fault_of, find_place, may
from headwater.web.destinations.tester import read_message, shown
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services

_PREFIX = "field."


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping as it stands in the form."""

    id: str = ""
    action: str
    name: str
    trigger: str
    fields: dict[str, str]
    """By name, as typed; empty: the default."""
    enabled: bool = True
    message: str = ""
    """To try it on."""


class MappingsController(Controller):
    """`/destinations/{id}/mappings`."""

    path = "/destinations/{destination_id:str}/mappings"
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
        """Show the mappings in their order."""
        place = await find_place(services, destination_id)
        return page(
            request,
            "destinations/mappings.html",
            place=place,
            titles={action.name: action.title for action in place.declared.actions},
            describe=describe_condition,
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
        action: FromQuery[str] = "",
    ) -> Template:
        """Show one mapping's form."""
        place = await find_place(services, destination_id)
        typed = _first(place, position, action)
        recent = await recent_messages(services.log, services.forgotten, place.source.id, most=1)
        body = recent[0].body if recent else sample_body("identify")
        typed = msgspec.structs.replace(typed, message=shown(body))
        return _form(request, place, position, typed)

    @post("/{position:str}", guards=[needs("admin")])
    async def save(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        position: FromPath[str],
    ) -> Template | Redirect:
        """Check and save one mapping, or only try it."""
        place = await find_place(services, destination_id)
        number = position_of(place.instance.mappings, position)
        form = await request.form()
        typed = _read(place, form)
        mapped: Mapped | None = None
        try:
            if form.get("try"):
                mapped = _try(services, place, typed)
            else:
                mappings = put(as_json(place.instance.mappings), number, _entry(typed))
                await save(services, place.instance, Changes(mappings=mappings))
        except HeadwaterError as err:
            failed = field_within(err.field, "mappings", 0 if form.get("try") else number)
            return _form(request, place, position, typed, err, failed)
        if mapped is not None:
            return _form(request, place, position, typed, mapped=mapped)
        return see_other(place.url("/mappings", said="saved"))

    @post("/{position:str}/do/{what:str}", guards=[needs("admin")])
    async def do(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        position: FromPath[str],
        what: FromPath[str],
    ) -> Redirect:
        """Switch, move up or remove one mapping."""
        place = await find_place(services, destination_id)
        number = position_of(place.instance.mappings, "" if position == NEW else position)
        mappings = act(as_json(place.instance.mappings), number, what)
        await save(services, place.instance, Changes(mappings=mappings))
        return see_other(place.url("/mappings", said="saved"))


def _try(services: Services, place: Place, typed: Typed) -> Mapped:
    body = read_message(typed.message)
    message = as_test_message(body, place.source.id, services.clock.now())
    return map_message(place.instance, _entry(typed), message)


def _first(place: Place, position: str, action_name: str) -> Typed:
    number = position_of(place.instance.mappings, position)
    if position != NEW:
        return _typed(place.instance.mappings[number])
    action = _action(place, action_name)
    name = f"{action.title}"
    trigger = write_condition(action.trigger) if action.trigger is not None else ""
    return Typed(action=action.name, name=name, trigger=trigger, fields={})


def _action(place: Place, name: str) -> Action:
    actions = place.declared.actions
    return next((one for one in actions if one.name == name), actions[0])


def _typed(mapping: Mapping) -> Typed:
    return Typed(
        id=mapping.id,
        action=mapping.action,
        name=mapping.name,
        trigger=write_condition(mapping.trigger),
        fields={name: write_value(rule) for name, rule in mapping.fields.items()},
        enabled=mapping.enabled,
    )


def _read(place: Place, form: FormMultiDict) -> Typed:
    texts = {name: str(form.get(name, "")) for name in ("id", "name", "trigger", "message")}
    action = _action(place, str(form.get("action", "")))
    fields = {one.name: str(form.get(_PREFIX + one.name, "")) for one in action.fields}
    enabled = bool(form.get("enabled"))
    return Typed(**texts, action=action.name, fields=fields, enabled=enabled)


def _entry(typed: Typed) -> dict[str, Any]:
    rules = {name: read_value(text, f"fields.{name}") for name, text in typed.fields.items()}
    return {
        "id": typed.id,
        "action": typed.action,
        "name": typed.name,
        "trigger": read_condition(typed.trigger, "trigger"),
        "fields": {name: rule for name, rule in rules.items() if rule is not None},
        "enabled": typed.enabled,
    }


def _form(
    request: AnyRequest,
    place: Place,
    position: str,
    typed: Typed,
    err: HeadwaterError | None = None,
    failed: str = "",
    mapped: Mapped | None = None,
) -> Template:
    action = _action(place, typed.action)
    return page(
        request,
        "destinations/mapping.html",
        status=int(err.status) if err else 200,
        place=place,
        action=action,
        position=position,
        typed=typed,
        defaults={one.name: write_value(one.default) for one in action.fields},
        failed=failed if failed.startswith("fields.") else failed.partition(".")[0],
        error=fault_of(err),
        mapped=mapped,
        made=shown(mapped.fields) if mapped else "",
    )
