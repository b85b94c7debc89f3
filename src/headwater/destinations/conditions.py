"""Ask something of a message: typed conditions as JSON, no code.

In: a condition and a message's body. Out: yes or no; it never raises. A condition is one test,
`{"field": "properties.status", "op": "at_least", "value": 500}`, or a group of conditions,
`{"all": […]}` or `{"any": […]}`. Texts are case-sensitive. A field that holds a list passes when
one of its elements does; null is nothing. Pure.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.destinations.paths import check_path, find_values

Op = Literal[
    "is", "is_not", "contains", "not_contains", "starts_with", "ends_with",
    "less", "at_most", "greater", "at_least", "exists", "missing",
]  # fmt: skip
OPS: tuple[Op, ...] = get_args(Op)
ALONE: frozenset[str] = frozenset({"exists", "missing"})
"""These compare with nothing."""
Value = str | int | float | bool

_DEEPEST = 5
_MOST_TESTS = 50
_LONGEST_VALUE = 1_000


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
                omit_defaults=True):  # fmt: skip
    """One test, or a group; exactly one of `field`, `all` and `any` is given.

    `all` of nothing holds of every message.
    """

    field: str | None = None
    op: Op | None = None
    value: Value | None = None
    all: "tuple[Condition, ...] | None" = None
    any: "tuple[Condition, ...] | None" = None

    def __post_init__(self) -> None:
        """Refuse a shape that means nothing; msgspec adds the path to the field."""
        if sum(part is not None for part in (self.field, self.all, self.any)) != 1:
            raise ValueError("A condition has exactly one of `field`, `all` and `any`")
        if self.any == ():
            raise ValueError("`any` of nothing never holds")
        if self.field is not None:
            _check_test(self)
        elif self.op is not None or self.value is not None:
            raise ValueError("A group has no `op` and no `value`")
        if _depth(self) > _DEEPEST or _tests(self) > _MOST_TESTS:
            raise ValueError(
                f"A condition has {_MOST_TESTS} tests at most, in groups {_DEEPEST} deep"
            )


def of_type(*types: str) -> Condition:
    """Return the condition that a message is of one of the types."""
    tests = tuple(Condition(field="type", op="is", value=type_) for type_ in types)
    return tests[0] if len(tests) == 1 else Condition(any=tests)


def holds(condition: Condition, body: Mapping[str, Any]) -> bool:
    """Tell whether a message meets a condition."""
    if condition.all is not None:
        return all(holds(part, body) for part in condition.all)
    if condition.any is not None:
        return any(holds(part, body) for part in condition.any)
    return _passes(condition, body)


def _passes(test: Condition, body: Mapping[str, Any]) -> bool:
    op = test.op or "exists"
    found = find_values(body, test.field or "")
    if op in _OPPOSITES:
        return not any(_TESTS[_OPPOSITES[op]](one, test.value) for one in found)
    return any(_TESTS[op](one, test.value) for one in found)


def _is(found: Any, value: Any) -> bool:
    if isinstance(found, bool) or isinstance(value, bool):
        return _text(found) == _text(value)
    wanted = _number(value)
    if isinstance(found, int | float) and wanted is not None:
        return found == wanted
    return _text(found) == _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _number(value: Any) -> int | float | None:
    try:
        return value if isinstance(value, int | float) else float(value)
    except (TypeError, ValueError):
        return None


def _of_texts(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def passes(found: Any, value: Any) -> bool:
        text = _text(found)
        return text is not None and test(text, _text(value) or "")

    return passes


def _of_numbers(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def passes(found: Any, value: Any) -> bool:
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return is_number and test(found, _number(value))

    return passes


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": _is,
    "contains": _of_texts(lambda found, value: value in found),
    "starts_with": _of_texts(str.startswith),
    "ends_with": _of_texts(str.endswith),
    "less": _of_numbers(lambda found, value: found < value),
    "at_most": _of_numbers(lambda found, value: found <= value),
    "greater": _of_numbers(lambda found, value: found > value),
    "at_least": _of_numbers(lambda found, value: found >= value),
    "exists": lambda *_: True,
}
_OPPOSITES: Mapping[str, str] = {
    "is_not": "is",
    "not_contains": "contains",
    "missing": "exists",
}
_NUMERIC = frozenset({"less", "at_most", "greater", "at_least"})


def _check_test(test: Condition) -> None:
    if test.op is None:
        raise ValueError("A test needs an `op`")
    if (test.op in ALONE) != (test.value is None):
        needs = "no value" if test.op in ALONE else "a value"
        raise ValueError(f"`{test.op}` needs {needs}")
    if test.op in _NUMERIC and (isinstance(test.value, bool) or _number(test.value) is None):
        raise ValueError(f"`{test.op}` needs a number")
    if isinstance(test.value, str) and len(test.value) > _LONGEST_VALUE:
        raise ValueError(f"A value has {_LONGEST_VALUE} characters at most")
    try:
        check_path(test.field or "")
    except InvalidInputError as err:
        raise ValueError(err.message.rstrip(".")) from err


def _depth(condition: Condition) -> int:
    parts = (condition.all or ()) + (condition.any or ())
    return 1 + max((_depth(part) for part in parts), default=0)


def _tests(condition: Condition) -> int:
    parts = (condition.all or ()) + (condition.any or ())
    return sum(map(_tests, parts)) if parts else 1


ALWAYS = Condition(all=())
"""Holds of every message; it stands here because its making needs what is above."""
