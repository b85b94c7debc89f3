"""Remember where a list stopped.

In: the sort key of the last item. Out: an opaque text, and back; the parts of a query that pages
through a list in time order. Lists go on by key, so items that are added meanwhile neither repeat
nor hide others.
"""

import base64
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from headwater.analytics.bound import Bound
from headwater.base.errors import InvalidInputError

Row = dict[str, Any]
T = TypeVar("T")


class TimeAndId(msgspec.Struct, frozen=True, array_like=True):
    """The place behind one item of a list in time order."""

    time: datetime
    id: str


class NewestFirst(NamedTuple):
    """A list in the order of a time and an id, the newest first."""

    time: str
    """The name of its column, as the query selects it."""
    id: str
    rows: str = ""
    """The alias of the table before the names, with its dot."""

    def behind(self, cursor: str, bound: Bound) -> str:
        """Return the condition on what comes behind a cursor; none yet: all."""
        if not cursor:
            return "true"
        place = read_cursor(cursor, TimeAndId)
        time = bound.put(place.time, "DateTime64(6, 'UTC')")
        id_ = bound.put(place.id, "String")
        at, name = f"{self.rows}{self.time}", f"{self.rows}{self.id}"
        return f"({at} < {time} OR ({at} = {time} AND {name} < {id_}))"

    def order(self, limit: int) -> str:
        """Return the end of the query. It asks for one row more: is there a next page?"""
        at, name = f"{self.rows}{self.time}", f"{self.rows}{self.id}"
        return f" ORDER BY {at} DESC, {name} DESC LIMIT {int(limit) + 1}"

    def cut(self, rows: list[Row], limit: int) -> tuple[list[Row], str | None]:
        """Return the rows of one page, and where the next begins."""
        if len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        return rows[:limit], write_cursor(TimeAndId(last[self.time], last[self.id]))


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
