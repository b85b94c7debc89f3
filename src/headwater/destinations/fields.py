"""Say where a field of a request gets its value from: typed, as JSON, no code.

In: a value's rule and a message's body. Out: the value, None where there is none. A rule is a path,
a fixed value, a template, the first of several that has a value, one of two by whether a field
exists, or an object of rules. Pure.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.destinations.paths import check_path, find_value

_LONGEST_TEMPLATE = 5_000
_HOLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class _Rule(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """What all have in common: JSON names the kind."""


class PathValue(_Rule, frozen=True, tag="path"):
    """What the message holds at a path; the whole message at an empty one."""

    path: str

    def __post_init__(self) -> None:
        if self.path:
            _check(self.path)


class StaticValue(_Rule, frozen=True, tag="static"):
    """Always the same; null leaves the field out."""

    value: Any


class TemplateValue(_Rule, frozen=True, tag="template"):
    """A text with holes: `New user {{traits.email}}`. What is missing leaves nothing."""

    text: str

    def __post_init__(self) -> None:
        if len(self.text) > _LONGEST_TEMPLATE:
            raise ValueError(f"A template has {_LONGEST_TEMPLATE} characters at most")
        if "{{" in _HOLE.sub("", self.text) or "}}" in _HOLE.sub("", self.text):
            raise ValueError("A hole of a template is a path in double braces: {{traits.email}}")
        for path in _HOLE.findall(self.text):
            _check(path)


class FirstOfValue(_Rule, frozen=True, tag="first_of"):
    """The first of these that has a value."""

    values: "tuple[FieldValue, ...]"


class IfExistsValue(_Rule, frozen=True, tag="if_exists", kw_only=True):
    """One value where a field exists, else the other."""

    path: str
    then: "FieldValue"
    otherwise: "FieldValue" = StaticValue(None)

    def __post_init__(self) -> None:
        _check(self.path)


class ObjectValue(_Rule, frozen=True, tag="object"):
    """An object, its fields by rules of their own; those without a value are left out."""

    fields: "dict[str, FieldValue]"


FieldValue = PathValue | StaticValue | TemplateValue | FirstOfValue | IfExistsValue | ObjectValue


def value_of(rule: FieldValue, body: Mapping[str, Any]) -> Any:
    """Return what a rule makes of a message; None: nothing."""
    match rule:
        case PathValue():
            return find_value(body, rule.path)
        case StaticValue():
            return rule.value
        case TemplateValue():
            return _HOLE.sub(lambda hole: as_text(find_value(body, hole[1])), rule.text)
        case FirstOfValue():
            found = (value_of(one, body) for one in rule.values)
            return next((value for value in found if value is not None), None)
        case IfExistsValue():
            exists = find_value(body, rule.path) is not None
            return value_of(rule.then if exists else rule.otherwise, body)
        case ObjectValue():
            return values_of(rule.fields, body)


def values_of(rules: Mapping[str, FieldValue], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that there are, by name."""
    found = {name: value_of(rule, body) for name, rule in rules.items()}
    return {name: value for name, value in found.items() if value is not None}


def as_text(value: Any) -> str:
    """Return a value as people write it; objects and lists as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def _check(path: str) -> None:
    try:
        check_path(path)
    except InvalidInputError as err:
        raise ValueError(err.message.rstrip(".")) from err
