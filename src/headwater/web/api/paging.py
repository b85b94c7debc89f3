"""Cut a list into pages, the same way in every list of the management API.

In: a whole, short list, what names an item, a limit and a cursor. Out: one page with the cursor of
the next. Long lists are cut by their rooms, in SQL; they use `Page` alone.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from headwater.base.errors import InvalidInputError

MOST_ITEMS = 1000

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some items of a list."""

    items: list[T]
    next_cursor: str | None = None
    """Send it as `cursor` to get the next page; null at the end."""


def page_of(items: Sequence[T], name: Callable[[T], str], limit: int, cursor: str) -> Page[T]:
    """Return the page after the item whose name is `cursor`."""
    check_limit(limit)
    names = [name(item) for item in items]
    if cursor and cursor not in names:
        raise InvalidInputError("The cursor is none of this list.", field="cursor")
    first = names.index(cursor) + 1 if cursor else 0
    last = first + limit
    return Page(
        items=list(items[first:last]), next_cursor=names[last - 1] if last < len(items) else None
    )


def check_limit(limit: int) -> int:
    """Return a limit that a page can have, or raise `InvalidInputError`."""
    if not 1 <= limit <= MOST_ITEMS:
        raise InvalidInputError(f"A limit is 1 to {MOST_ITEMS}.", field="limit")
    return limit
