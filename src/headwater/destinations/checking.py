"""Read what people configure from JSON, and say which field is wrong.

In: decoded JSON and the shape it must have. Out: the typed thing, or an error whose `field` is a
path such as `filters[0].when.all[1].op`.
"""

import re
from typing import Any, TypeVar

import msgspec

from headwater.base.errors import InvalidInputError

T = TypeVar("T")
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$?\.?(?P<path>.*)`)?$", re.DOTALL)
_HINT = "docs/reference/destinations.md shows the shapes there are."


def read_as(shape: type[T], value: Any, field: str) -> T:
    """Return `value` typed; `field` is its name among what was sent."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as err:
        found = _WHERE.match(str(err))
        what, path = (found["what"], found["path"] or "") if found else (str(err), "")
        raise InvalidInputError(f"{what}.", field=join(field, path), hint=_HINT) from err


def join(field: str, path: str) -> str:
    """Return the path of a field within another."""
    if not field or not path or path.startswith("["):
        return field + path
    return f"{field}.{path}"
