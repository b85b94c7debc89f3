"""Turn a tree of filters into one SQL condition with bound values.

In: `{"field", "op", "value"}`, combined by `all`, `any`, `not`. Out: a condition, and the tables
it needs. Errors name the place in the tree. A missing value is like an empty text: `ne` is true
of it, `gt` is not.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headwater.analytics.bound import Bound
from headwater.analytics.fields import Field, Fields, Need
from headwater.base.errors import InvalidInputError

_DEEPEST = 20
_MOST_VALUES = 10_000
_MOST_BOUND = 2_000
_LONGEST_SQL = 150_000  # the engine reads queries of up to 256 KiB
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_TEXT_OPS: Mapping[str, Callable[[str, str], str]] = {
    "contains": lambda sql, value: f"position({sql}, {value}) > 0",
    "not_contains": lambda sql, value: f"position({sql}, {value}) = 0",
    "starts_with": lambda sql, value: f"startsWith({sql}, {value})",
    "ends_with": lambda sql, value: f"endsWith({sql}, {value})",
    "matches": lambda sql, value: f"match({sql}, {value})",
}
OPS = ("eq", "ne", "in", "not_in", *_COMPARE, *_TEXT_OPS, "exists", "not_exists")


class Condition(msgspec.Struct, frozen=True):
    """A condition on one call."""

    sql: str
    needs: frozenset[Need] = frozenset()
    fields: frozenset[str] = frozenset()
    """The names of the fields it is about."""


TRUE = Condition("true")


def compile_filters(tree: object, fields: Fields) -> Condition:
    """Return the condition of a tree; None and `{}` are always true."""
    condition = _compile(tree, fields, "$.filters", 0)
    if len(condition.sql) > _LONGEST_SQL:
        raise _too_many()
    return condition


def _compile(tree: object, fields: Fields, path: str, depth: int) -> Condition:
    if tree is None or tree == {}:
        return TRUE
    if depth > _DEEPEST:
        raise InvalidInputError("Filters are nested too deeply.", field=path)
    if not isinstance(tree, dict):
        raise InvalidInputError("A filter is an object.", field=path)
    for word, joint in (("all", " AND "), ("any", " OR ")):
        if word in tree:
            _only(tree, {word}, path)
            return _join(tree[word], joint, fields, f"{path}.{word}", depth)
    if "not" in tree:
        _only(tree, {"not"}, path)
        inner = _compile(tree["not"], fields, f"{path}.not", depth + 1)
        return msgspec.structs.replace(inner, sql=f"NOT ({inner.sql})")
    return _leaf(tree, fields, path)


def _join(items: object, joint: str, fields: Fields, path: str, depth: int) -> Condition:
    if not isinstance(items, list):
        raise InvalidInputError("This is a list of filters.", field=path)
    parts = [_compile(item, fields, f"{path}[{n}]", depth + 1) for n, item in enumerate(items)]
    if not parts:
        return Condition("true" if joint == " AND " else "false")
    return Condition(
        joint.join(f"({part.sql})" for part in parts),
        frozenset[Need]().union(*(part.needs for part in parts)),
        frozenset[str]().union(*(part.fields for part in parts)),
    )


def _leaf(tree: dict[str, Any], fields: Fields, path: str) -> Condition:
    if len(fields.bound.values) > _MOST_BOUND:
        raise _too_many()
    _only(tree, {"field", "op", "value"}, path)
    name, op, value = tree.get("field"), tree.get("op", "eq"), tree.get("value")
    if not isinstance(name, str):
        raise InvalidInputError("A filter names its field.", field=f"{path}.field")
    if op not in OPS:
        raise InvalidInputError(
            f"There is no op {op!r}.", field=f"{path}.op", hint=f"Ops: {', '.join(OPS)}."
        )
    field = fields.find(name, f"{path}.field")
    sql = _compare(field, op, value, fields.bound, f"{path}.value")
    return Condition(sql, field.needs, frozenset({name}))


def _compare(field: Field, op: str, value: object, bound: Bound, path: str) -> str:
    if op in {"exists", "not_exists"}:
        return field.exists if op == "exists" else f"NOT ({field.exists})"
    if op in {"in", "not_in"}:
        return _among(field, op, value, bound, path)
    if op in _TEXT_OPS:
        text = field.sql if field.kind == "text" else f"toString({field.sql})"
        return _TEXT_OPS[op](text, bound.put(_as_text(value, path), "String"))
    if op in _COMPARE:
        return _order(field, _COMPARE[op], value, bound, path)
    sign = "=" if op == "eq" else "!="
    if field.kind == "number":
        return f"{field.sql} {sign} {bound.put(_as_number(value, path), 'Float64')}"
    return f"{field.sql} {sign} {bound.put(_as_text(value, path), 'String')}"


def _among(field: Field, op: str, value: object, bound: Bound, path: str) -> str:
    if not isinstance(value, list) or len(value) > _MOST_VALUES:
        raise InvalidInputError(f"This is a list of at most {_MOST_VALUES} values.", field=path)
    if field.kind == "number":
        numbers = bound.put([_as_number(one, path) for one in value], "Array(Float64)")
        condition = f"has({numbers}, toFloat64({field.sql}))"
    else:
        texts = bound.put([_as_text(one, path) for one in value], "Array(String)")
        condition = f"has({texts}, toString({field.sql}))"
    return condition if op == "in" else f"NOT {condition}"


def _order(field: Field, sign: str, value: object, bound: Bound, path: str) -> str:
    if isinstance(value, str) and field.kind == "text":
        return f"{field.sql} {sign} {bound.put(value, 'String')}"
    number = bound.put(_as_number(value, path), "Float64")
    if field.kind == "number":
        return f"{field.sql} {sign} {number}"
    return f"ifNull({field.number_sql or f'toFloat64OrNull({field.sql})'} {sign} {number}, false)"


def _as_text(value: object, path: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case float() if value.is_integer():
            return str(int(value))  # 40.0 and 40 are one number in JSON
        case int() | float():
            return str(value)
        case _:
            raise InvalidInputError("This is a text or a number.", field=path)


def _as_number(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError("This is a number.", field=path)
    try:
        return float(value)
    except OverflowError as err:
        raise InvalidInputError("This number is too large.", field=path) from err


def _too_many() -> InvalidInputError:
    return InvalidInputError(
        "There are too many filters.",
        field="$.filters",
        hint="`in` takes a list of values where `any` takes one filter for each.",
    )


def _only(tree: dict[str, Any], allowed: set[str], path: str) -> None:
    unknown = set(tree) - allowed
    if unknown:
        raise InvalidInputError(
            f"A filter has no {', '.join(sorted(map(repr, unknown)))}.",
            field=path,
            hint='Use {"field", "op", "value"}, {"all": […]}, {"any": […]} or {"not": …}.',
        )
