"""Read what was filled in for an extension into its typed settings.

In: names and values, typed by a person, sent as JSON, or stored. Out: a struct, or an error that
names the field.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from headwater.base.errors import InvalidInputError

S = TypeVar("S", bound=msgspec.Struct)
_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_UNKNOWN = re.compile(r"unknown field `(.*?)`")


def read_filled_in(values: Mapping[str, object], type_: type[S]) -> S:
    """Return the settings; texts stand for numbers and flags, as they come from a form."""
    try:
        return msgspec.convert(dict(values), type_, strict=False)
    except msgspec.ValidationError as err:
        text = str(err)
        place, unknown = _PLACE.search(text), _UNKNOWN.search(text)
        field = place[1] if place else unknown[1] if unknown else ""
        raise InvalidInputError(
            f"{_PLACE.sub('', text)}.",
            field=field,
            hint=f"Known: {', '.join(type_.__struct_fields__)}.",
        ) from err
