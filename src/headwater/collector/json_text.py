"""Read JSON as the world writes it, so that one bad item never costs its batch.

In: bytes of a request. Out: UTF-8 that every later reader accepts, the members of an array without
looking inside them, or plain values. Pure. Knows nothing of calls or people.
"""

import codecs
import json
import math
import re
from itertools import pairwise
from typing import Any

import msgspec
from ahocorasick_rs import BytesAhoCorasick

from headwater.base.errors import InvalidInputError

DEEPEST = 100
"""Levels of nesting: later readers have smaller stacks than ours."""

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_INT64 = range(-(2**63), 2**64)
_INT64_CHARACTERS = 20
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_SURROGATES = BytesAhoCorasick((rb"\ud", rb"\uD"))
_SURROGATE_BYTES = 3
_LOOK_BYTES = 65_536
_ESCAPE = re.compile(
    rb'\\(?:[\\"]'
    rb"|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)


def heal(body: bytes) -> bytes:
    """Return valid UTF-8 on one line, without a byte order mark.

    Broken bytes and lone surrogates are U+FFFD. Line breaks outside of texts mean nothing, and
    inside of texts they are no JSON.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if b"\n" in body or b"\r" in body:
        body = body.translate(_ONE_LINE)
    if not body.isascii():
        body = body.decode("utf-8", "replace").encode()
    if _has_surrogates(body):
        body = _ESCAPE.sub(_without_lone_surrogate, body)
    return body


def _has_surrogates(body: bytes) -> bool:
    # Python's own search for bytes side by side takes longer than decoding the body does. A piece
    # at a time: emoji may be as many as they like, and all places of a piece are listed.
    starts = range(0, len(body), _LOOK_BYTES - _SURROGATE_BYTES + 1)
    return any(_SURROGATES.find_matches_as_indexes(body[at : at + _LOOK_BYTES]) for at in starts)


def _without_lone_surrogate(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["lone"] else escape[0]


def split_items(body: bytes) -> list[bytes]:
    """Return the members of an array unread, or the whole body when it is no array.

    Raises `InvalidInputError` when the array itself is broken: cut short, or with empty places.
    """
    text = body.strip()
    if not text.startswith(b"["):
        return [text]
    cuts = _cuts(text)
    items = [text[left + 1 : right].strip() for left, right in pairwise(cuts)]
    if items == [b""]:
        return []
    if cuts[-1] != len(text) - 1 or b"" in items:
        raise not_json("The array is cut short or has empty places.")
    return items


def _cuts(text: bytes) -> list[int]:
    # Where the array opens, its commas, and where it closes (-1 when it never does).
    cuts = [0]
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
            if depth == 0:
                return [*cuts, token.start()]
        elif first == ord(",") and depth == 1:
            cuts.append(token.start())
    return [*cuts, -1]


def read_json(text: bytes | str) -> Any:
    """Return plain values; what JSON or 64 bits cannot hold (NaN, 1e999, 30 digits) becomes text.

    Raises `InvalidInputError` when it is not JSON or too deep.
    """
    try:
        return json.loads(
            text,
            strict=False,
            parse_constant=str,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except ValueError as err:
        raise not_json(f"This is not JSON: {err}.") from err
    except RecursionError as err:
        raise too_deep() from err


def _read_float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _read_int(text: str) -> int | str:
    # Hostile numbers have thousands of digits: look at the length first.
    if len(text) <= _INT64_CHARACTERS and int(text) in _INT64:
        return int(text)
    return text


def write_json(value: object) -> bytes:
    """Return compact JSON on one line."""
    return msgspec.json.encode(value)


def check_depth(raw: bytes, path: str) -> None:
    """Raise `InvalidInputError` when the document nests deeper than `DEEPEST`."""
    if len(raw) <= DEEPEST or raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return
    depth = 0
    for bracket in _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise too_deep(path)


def not_json(message: str) -> InvalidInputError:
    """Return the error of a text that is no JSON at all."""
    return InvalidInputError(message, field="$", hint="Send JSON in UTF-8.", not_json=True)


def too_deep(path: str = "$") -> InvalidInputError:
    """Return the error of a document that nests too deep."""
    return InvalidInputError(f"This nests deeper than {DEEPEST} levels.", field=path)
