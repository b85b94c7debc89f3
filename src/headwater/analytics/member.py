"""Reach into a JSON text, in SQL.

In: an expression and the names of a path. Out: the expression of what lies there, as JSON text;
empty when nothing does. The names are bound values.
"""

from collections.abc import Sequence

from headwater.analytics.bound import Bound

_LAST_PLACE = 1_000_000


def member(json: str, segments: Sequence[str], bound: Bound) -> str:
    """Return the JSON text below a path; a number is a place in a list, or a name in an object."""
    for segment in segments:
        name = f"JSONExtractRaw({json}, {bound.put(segment, 'String')})"
        if is_place(segment):
            place = min(int(segment), _LAST_PLACE) + 1  # the engine counts from 1
            item = f"JSONExtractRaw({json}, {bound.put(place, 'Int64')})"
            json = f"if(startsWith({json}, '['), {item}, {name})"
        else:
            json = name
    return json


def is_place(segment: str) -> bool:
    """Tell whether a name may be a place in a list."""
    return segment.isascii() and segment.isdigit()
