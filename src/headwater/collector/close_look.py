"""Cover the secrets of many documents at once, touching only the places where one may stand.

In: JSON documents, one a line, and the places that the quick look found. Out: what to put where.
Reads only the string or the member around a place; a document that is written in an unusual way is
given to the careful reader whole. The outcome is the careful reader's, but for spaces. Pure.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from headwater.collector.careful_mask import CarefulMask
from headwater.collector.json_text import read_json, write_json
from headwater.collector.quick_look import BIG, CARD, NAME, Place
from headwater.collector.secret_names import SecretNames
from headwater.collector.secret_shapes import MARK

_VALUE = re.compile(
    rb"[ \t]*:[ \t]*"
    rb'(?P<value>"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*|(?P<nested>[\[{])|)'
)
"""What follows a key; nothing in it when it is true, false or null."""
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]')
_MASKED = write_json(MARK)
_AFTER_STRING = frozenset(b":,]} \t")


class Cover(NamedTuple):
    """What is put in the place of what."""

    start: int
    end: int
    text: bytes


class CloseLook:
    """Works through the places of one text, from its beginning to its end."""

    def __init__(self, text: bytes, names: SecretNames, careful: CarefulMask) -> None:
        self._text = text
        self._names = names
        self._careful = careful
        self._covers: list[Cover] = []
        self._done = 0
        """All before this is settled."""
        self._named = 0
        """All names before this are settled."""

    def covers(self, places: Iterable[Place]) -> list[Cover]:
        """Return what to put where, in order."""
        for place in places:
            if place.start < self._done:
                continue
            if place.kind == NAME:
                if place.start >= self._named:
                    self._name(place.start)
            elif place.kind == CARD:
                self._card(place.start)
            elif place.kind == BIG:
                self._document(place.start)
            else:
                self._string(place.start)
        return self._covers

    def _name(self, at: int) -> None:
        bounds = self._bounds(at)
        if bounds is None:
            self._document(at)
            return
        opening, closing = bounds
        self._named = closing
        value = _VALUE.match(self._text, closing + 1)
        if value:
            self._key(opening, closing, value)
        elif self._text.rfind(b"=", at, closing) > 0 or self._text.rfind(b":", at, closing) > 0:
            self._string(at)

    def _key(self, opening: int, closing: int, value: re.Match[bytes]) -> None:
        key = self._text[opening + 1 : closing].decode()
        masked = self._careful.key(key)
        if masked != key:
            self._covers.append(Cover(opening, closing + 1, write_json(masked)))
        self._done = closing
        self._member(key, value)

    def _member(self, key: str, value: re.Match[bytes]) -> None:
        if self._names.verdict(key) == "keep" or not value["value"]:
            return
        start, end = value.span("value")
        if value["nested"]:
            self._put(start, self._end(start), key, [])
        else:
            sent = _read(value["value"])
            if self._names.verdict_on(key, sent) != "keep":
                self._put(start, end, key, sent)

    def _put(self, start: int, end: int, key: str, value: object) -> None:
        cover = self._careful.cover(key, value)
        self._covers.append(Cover(start, end, _MASKED if cover == MARK else write_json(cover)))
        self._done = end

    def _end(self, start: int) -> int:
        depth = 0
        for token in _TOKEN.finditer(self._text, start):
            depth += token[0] in b"[{"
            depth -= token[0] in b"]}"
            if depth == 0:
                return token.end()
        raise AssertionError(start)

    def _card(self, at: int) -> None:
        # Between strings or in one? Only the careful reader knows for sure.
        bounds = self._bounds(at)
        if bounds is None or self._text[bounds[0] + 1] in _AFTER_STRING:
            self._document(at)
        else:
            self._string(at)

    def _string(self, at: int) -> None:
        bounds = self._bounds(at)
        if bounds is None:
            self._document(at)
            return
        opening, closing = bounds
        value = _VALUE.match(self._text, closing + 1)
        if value:
            self._key(opening, closing, value)
            return
        sent = self._text[opening + 1 : closing].decode()
        masked = self._careful.text(sent)
        if masked != sent:
            self._covers.append(Cover(opening, closing + 1, write_json(masked)))
        self._done = closing

    def _bounds(self, at: int) -> tuple[int, int] | None:
        """Return where the quotes around `at` are, or None when that takes a reader of escapes."""
        opening, closing = self._text.rfind(b'"', 0, at), self._text.find(b'"', at)
        if opening < 0 or closing < 0:
            return None
        around = self._text[max(opening - 1, 0) : closing]
        return None if b"\\" in around or b"\n" in around else (opening, closing)

    def _document(self, at: int) -> None:
        start, end = self._text.rfind(b"\n", 0, at) + 1, self._text.find(b"\n", at)
        end = end if end >= 0 else len(self._text)
        while self._covers and self._covers[-1].start >= start:
            self._covers.pop()
        sent = self._text[start:end]
        masked = self._careful.document(sent)
        if masked != sent:
            self._covers.append(Cover(start, end, masked))
        self._done = end


def _read(scalar: bytes) -> object:
    is_plain = scalar.startswith(b'"') and b"\\" not in scalar
    return scalar[1:-1].decode() if is_plain else read_json(scalar)


def put_covers(text: bytes, covers: list[Cover]) -> bytes:
    """Return the text with every cover in its place."""
    parts: list[bytes] = []
    done = 0
    for start, end, cover in covers:
        parts += text[done:start], cover
        done = end
    return b"".join((*parts, text[done:]))
