"""Write conditions and values as people type them into a form, and read them back.

In: a condition or a value's rule, or text. Out: the other of the two. A condition is lines of
`field test value`, all of which must hold; a value is a text with holes. What does not fit into
that is written, and may be typed, as its JSON. Pure.
"""

import json
import re
from typing import Any

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.destinations import (
    ALWAYS,
    Condition,
    FieldValue,
    PathValue,
    StaticValue,
    TemplateValue,
)

_HOLE_ALONE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_ALONE = ("exists", "missing")


def write_condition(condition: Condition) -> str:
    """Return the lines of a condition; none for one that always holds."""
    parts = condition.all if condition.all is not None else (condition,)
    lines = [_write_test(part) for part in parts]
    if all(lines):
        typed = read_condition("\n".join(lines), "")
        if msgspec.convert(typed, Condition) == condition:
            return "\n".join(lines)
    return json.dumps(msgspec.to_builtins(condition), indent=2, ensure_ascii=False)


def read_condition(text: str, field: str) -> Any:
    """Return the JSON of a condition; its check names what is wrong inside."""
    if text.strip().startswith("{"):
        return _read_json(text, field)
    tests = [_read_test(line, field) for line in text.splitlines() if line.strip()]
    return tests[0] if len(tests) == 1 else {"all": tests}


def write_value(rule: FieldValue | None) -> str:
    """Return a value as it is typed; empty for none."""
    match rule:
        case None:
            return ""
        case PathValue():
            return f"{{{{{rule.path}}}}}"
        case TemplateValue() if not _HOLE_ALONE.fullmatch(rule.text) and "{{" in rule.text:
            text = rule.text
        case StaticValue(value=str() as value) if value and "{{" not in value:
            text = value
        case _:
            text = ""
    if text and text == text.strip() and "\n" not in text and not text.startswith('{"'):
        return text
    return json.dumps(msgspec.to_builtins(rule), ensure_ascii=False)


def read_value(text: str, field: str) -> Any:
    """Return the JSON of a rule, None for an empty text."""
    text = text.strip()
    if not text:
        return None
    if text.startswith('{"'):
        return _read_json(text, field)
    alone = _HOLE_ALONE.fullmatch(text)
    if alone is not None:
        return {"kind": "path", "path": alone[1]}
    if "{{" in text:
        return {"kind": "template", "text": text}
    return {"kind": "static", "value": text}


def describe_condition(condition: Condition) -> str:
    """Return a condition as a sentence of one line."""
    if condition == ALWAYS:
        return "every message"
    if condition.field is not None:
        return _write_test(condition) or f"{condition.field} {condition.op} {condition.value!r}"
    word = " and " if condition.all is not None else " or "
    parts = condition.all or condition.any or ()
    inner = [describe_condition(part) for part in parts]
    return word.join(f"({one})" if " and " in one or " or " in one else one for one in inner)


def _write_test(test: Condition) -> str:
    if test.field is None or " " in test.field:
        return ""
    if test.op in _ALONE:
        return f"{test.field} {test.op}"
    return f"{test.field} {test.op} {_write_scalar(test.value)}"


def _write_scalar(value: object) -> str:
    plain = isinstance(value, str) and value == value.strip() and value
    if plain and "\n" not in str(value) and _read_scalar(str(value)) == value:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _read_test(line: str, field: str) -> dict[str, Any]:
    parts = line.split(maxsplit=2)
    if len(parts) == 2 and parts[1] in _ALONE:  # noqa: PLR2004 - a field and a test
        return {"field": parts[0], "op": parts[1]}
    if len(parts) < 3 or parts[1] in _ALONE:  # noqa: PLR2004 - a value as well
        raise InvalidInputError(
            f"{line.strip()!r} is no condition.",
            field=field,
            hint="Write a field, a test and a value, such as properties.status at_least 500.",
        )
    return {"field": parts[0], "op": parts[1], "value": _read_scalar(parts[2].strip())}


def _read_scalar(text: str) -> Any:
    """Read numbers and flags as such; quotes make a text of anything."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, str | int | float | bool) else text


def _read_json(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as err:
        raise InvalidInputError(f"This is not JSON: {err}.", field=field) from err
