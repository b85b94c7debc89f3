"""Make of a message what its destination gets: mappings, in order, as typed JSON.

In: a message that passed the filters, the mappings of one destination and the actions of its type.
Out: an item for each mapping whose trigger holds. A field that a mapping does not name takes the
action's default. Pure.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Names
from typing import Any

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.destinations.checking import read_as
from headwater.destinations.conditions import ALWAYS, Condition, holds
from headwater.destinations.contract import Action, ActionField, Item
from headwater.destinations.fields import FieldValue, as_text, value_of
from headwater.model import Message

MOST_MAPPINGS = 50
_LONGEST_NAME = 100


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to do which action, with what."""

    action: str
    id: str = ""
    """Made here when empty; it stays the same when the mapping is changed."""
    name: str = ""
    trigger: Condition = ALWAYS
    fields: dict[str, FieldValue] = {}
    """Instead of the action's defaults."""
    enabled: bool = True


def default_mappings(actions: Iterable[Action]) -> tuple[Mapping, ...]:
    """Return the mappings that a new destination has."""
    return tuple(
        Mapping(id=new_id("map"), action=action.name, name=action.title, trigger=action.trigger)
        for action in actions
        if action.trigger is not None
    )


def read_mappings(
    value: Any, actions: Sequence[Action], field: str = "mappings"
) -> tuple[Mapping, ...]:
    """Read mappings from JSON; an error names the field that is wrong."""
    mappings = read_as(tuple[Mapping, ...], value, field)
    if len(mappings) > MOST_MAPPINGS:
        raise InvalidInputError(f"A destination has {MOST_MAPPINGS} mappings at most.", field=field)
    for position, mapping in enumerate(mappings):
        _check(mapping, actions, f"{field}[{position}]")
    named = tuple(msgspec.structs.replace(one, id=one.id or new_id("map")) for one in mappings)
    if len({one.id for one in named}) < len(named):
        raise InvalidInputError("Two mappings have the same id.", field=field)
    return named


def make_items(
    mappings: Sequence[Mapping], actions: Sequence[Action], message: Message
) -> list[Item]:
    """Return what is to be delivered of a message, in the order of the mappings."""
    return [
        make_item(mapping, find_action(actions, mapping.action), message)
        for mapping in mappings
        if mapping.enabled and holds(mapping.trigger, message.body)
    ]


def make_item(mapping: Mapping, action: Action, message: Message) -> Item:
    """Return what one mapping makes of a message, whether or not its trigger holds."""
    fields: dict[str, Any] = {}
    error = ""
    for field in action.fields:
        rule = mapping.fields.get(field.name, field.default)
        value = None if rule is None else value_of(rule, message.body)
        if value is None:
            wrong = f"{field.name} is needed and has no value" if field.is_required else ""
        else:
            value, wrong = fit(field, value)
        error = error or wrong
        if value is not None:
            fields[field.name] = value
    return Item(message=message, mapping=mapping.id, action=action.name, fields=fields, error=error)


def find_action(actions: Iterable[Action], name: str, field: str = "action") -> Action:
    """Return one action, or raise `InvalidInputError` with the known names."""
    known = {action.name: action for action in actions}
    if name not in known:
        raise InvalidInputError(
            f"There is no action {name!r}.", field=field, hint=f"Actions are {', '.join(known)}."
        )
    return known[name]


def fit(field: ActionField, value: Any) -> tuple[Any, str]:
    """Return a value as its field needs it, or None and what is wrong with it."""
    fitted = _fit(field.kind, value)
    return fitted, "" if fitted is not None else f"{field.name} must be of kind {field.kind}"


def _fit(kind: str, value: Any) -> Any:
    match kind, value:
        case "any", _:
            return value
        case "text", str() | bool() | int() | float():
            return as_text(value)
        case "number", bool():
            return None
        case "number", int() | float():
            return value
        case "number", str():
            return _read_number(value)
        case ("boolean", bool()) | ("object", dict()) | ("list", list()):
            return value
    return None


def _read_number(text: str) -> int | float | None:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _check(mapping: Mapping, actions: Sequence[Action], field: str) -> None:
    action = find_action(actions, mapping.action, f"{field}.action")
    if len(mapping.name) > _LONGEST_NAME:
        raise InvalidInputError(
            f"A name has {_LONGEST_NAME} characters at most.", field=f"{field}.name"
        )
    _check_fields(mapping.fields, action, f"{field}.fields")


def _check_fields(fields: Names[str, FieldValue], action: Action, field: str) -> None:
    known = {one.name: one for one in action.fields}
    for name in fields:
        if name not in known:
            raise InvalidInputError(
                f"The action {action.name} has no field {name!r}.",
                field=f"{field}.{name}",
                hint=f"Fields are {', '.join(known)}.",
            )
