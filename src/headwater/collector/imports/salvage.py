"""Read as much of a broken JSON array as can be read.

In: text that is no whole document, and where its array begins. Out: the items before the break.
Always raises `CorruptError` behind them, with the number of the item, the place and what is there.
Slow: only for what is known to be broken. Pure.
"""

import json
import re
from collections.abc import Iterator

from headwater.base.errors import CorruptError

_SPACE = re.compile(r"\s*")
_decode = json.JSONDecoder(strict=False).raw_decode


def salvage_items(text: str, begin: int) -> Iterator[bytes]:
    """Return the items of the array whose bracket is at `begin`, up to the break."""
    at = _skip(text, begin + 1)
    number = 1
    while text[at : at + 1] != "]":
        item, at = _item(text, at, number)
        yield item
        number += 1
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise _broken(text, at, number, "there is no comma")
    raise _broken(text, at + 1, number, "the list ends, and what follows is no JSON")


def _item(text: str, at: int, number: int) -> tuple[bytes, int]:
    try:
        _, end = _decode(text, at)
    except (json.JSONDecodeError, RecursionError) as err:
        place = getattr(err, "pos", at)
        raise _broken(text, place, number, getattr(err, "msg", "it nests too deep")) from err
    return text[at:end].encode(), _skip(text, end)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _broken(text: str, at: int, number: int, reason: str) -> CorruptError:
    return CorruptError(
        f"The list breaks off at item {number}, character {at + 1}: {reason}.",
        hint="What stands before was imported; with the whole file, the import goes on.",
        item=number,
        sample=text[at : at + 200],
    )
