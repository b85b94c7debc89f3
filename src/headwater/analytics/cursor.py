"""Remember where a list stopped.

In: the sort key of the last item. Out: an opaque text, and back. Lists go on by key, so items
that are added meanwhile neither repeat nor hide others.
"""

import base64
from datetime import datetime
from typing import TypeVar

import msgspec

from headwater.base.errors import InvalidInputError

T = TypeVar("T")


class TimeAndId(msgspec.Struct, frozen=True, array_like=True):
    """The place behind one item of a list in time order."""

    time: datetime
    id: str


def write_cursor(place: object) -> str:
    """Return a place as opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(cursor: str, shape: type[T]) -> T:
    """Return the place that a cursor stands for."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, msgspec.DecodeError) as err:
        raise InvalidInputError(
            "This is not a cursor of this list.", field="$.cursor", hint="Send `next_cursor` back."
        ) from err
