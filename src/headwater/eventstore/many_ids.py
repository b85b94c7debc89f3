"""Ask about many ids in one question: thousands of texts in one parameter, at no cost worth naming.

In: ids. Out: a parameter, and the SQL that unfolds it. The client library escapes parameters letter
by letter in Python, 35 ms for 20,000 ids; here they are escaped at once, before it looks.
"""

from collections.abc import Iterable, Iterator

import msgspec

MANY_IDS = "(SELECT arrayJoin(JSONExtract({ids:String}, 'Array(String)')) AS id)"
"""Stands behind `IN`, or as a table of one column `id`; `ids` is bound to `many_ids(…)`."""

# The engine reads a bound text as it reads a field of a tab-separated file.
_ESCAPED = ("\\", "'", "`", "\t", "\n")


class _ReadyText(str):
    """A text that is escaped already: whoever goes through it meets one piece, not letters."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        yield str(self)


def many_ids(ids: Iterable[str]) -> str:
    """Return the parameter for `MANY_IDS`."""
    text = msgspec.json.encode(list(ids)).decode()
    for character in _ESCAPED:
        text = text.replace(character, f"\\{character}")
    return _ReadyText(text)
