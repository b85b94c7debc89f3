"""Read JSON that a strict parser refuses, so that one odd value never costs its neighbours.

In: bytes or text that clients really send: lone surrogates, NaN, broken UTF-8, endless digits,
abysmal nesting. Out: plain values that every store can hold, or a cut into items that can be judged
one by one. Pure.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

MOST_LEVELS = 100
_SURE_DIGITS = 19
_LARGEST_INT = 2**64 - 1
_SMALLEST_INT = -(2**63)
# The possessive quantifier and the open end keep this linear, whatever the text.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
_BATCH_FOLLOWS = re.compile(r"\s*:\s*\[")


class TooDeepError(ValueError):
    """More levels than anything sensible has."""


def read_leniently(text: str) -> Any:
    """Parse JSON as JavaScript and Python write it; raises `ValueError` when that fails too."""
    try:
        return json.loads(text, parse_int=_read_int, strict=False)
    except RecursionError as err:
        raise TooDeepError("too deep") from err


def _read_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _SURE_DIGITS + 2 else digits


def tidy(value: Any, levels: int = MOST_LEVELS) -> Any:
    """Return the value as every store can hold it.

    Lone surrogates become U+FFFD, numbers beyond 64 bits and NaN become text.
    """
    match value:
        case str():
            return value if value.isascii() else _mend_text(value)
        case dict():
            if not levels:
                raise TooDeepError("too deep")
            return {tidy(name): tidy(item, levels - 1) for name, item in value.items()}
        case list():
            if not levels:
                raise TooDeepError("too deep")
            return [tidy(item, levels - 1) for item in value]
        case float() if not math.isfinite(value):
            return json.dumps(value)
        case int() if not _SMALLEST_INT <= value <= _LARGEST_INT:
            return str(value)
    return value


def _mend_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def split_batch(text: str) -> tuple[str, list[str]] | None:
    """Cut `{"batch": […], …}` into the envelope with an empty batch, and the items' own texts.

    Returns None when there is no such array at the top level, or it never ends.
    """
    start = _find_batch(text)
    if start is None:
        return None
    edges = list(_item_edges(text, start))
    if not edges or text[edges[-1]] != "]":
        return None
    begins = [start, *(edge + 1 for edge in edges[:-1])]
    items = [text[begin:end].strip() for begin, end in zip(begins, edges, strict=True)]
    return text[:start] + text[edges[-1] :], [] if items == [""] else items


def _find_batch(text: str) -> int | None:
    """Return where the first item begins."""
    for level, token in _tokens(text, 0):
        follows = _BATCH_FOLLOWS.match(text, token.end())
        if level == 1 and token.group() == '"batch"' and follows:
            return follows.end()
    return None


def _item_edges(text: str, start: int) -> Iterator[int]:
    """Yield the commas between the items, and the bracket that closes the array."""
    for level, token in _tokens(text, start):
        if level == 0 and token.group() == ",":
            yield token.start()
        if level < 0:
            yield token.start()
            return


def _tokens(text: str, start: int) -> Iterator[tuple[int, re.Match[str]]]:
    level = 0
    for token in _TOKEN.finditer(text, start):
        if token.group() in "[{":
            level += 1
        elif token.group() in "]}":
            level -= 1
        yield level, token
