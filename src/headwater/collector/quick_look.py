"""Tell in a few passes over bytes where a secret may stand, so that most text need not be read.

In: text of any kind, such as all documents of a batch. Out: places, in order, each with what may be
there. Never misses what the careful readers would find; finds little that they do not. Pure.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from headwater.base.spelling import FLATTEN, spellings
from headwater.collector.secret_names import SECRET_PARTS, SecretNames
from headwater.collector.secret_shapes import CARD_DIGITS, digits_at, passes_luhn

NAME, CARD, BIG, OTHER = range(4)
"""What may be at a place: a secret name; a card, by itself or in a string; a number too big for
other readers; or anything else, inside a string."""

_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_LOOK = FLATTEN.translate(_DIGITS_ALIKE)
"""How the text is looked at: lower case, each separator a dash, each digit a nought."""
_ENDS_OF_NAMES = ('"', "'", "=", ":", "\\")
_SHAPED = re.compile(
    rb"(?i:(?:(?<![\w-])|(?<=\\[a-z])|(?<=\\u[0-9a-f]{4}))eyj[\w-]{4,}\.|bearer[^\w\"])"
)
_ESCAPED = re.compile(rb"\\u00(?:2[025bdefBDEF]|3[0-9aA]|4[0-9a-fA-F]|5[0-9acfACF]|6|7[0-9aA])")
"""Letters, digits, separators and marks of URIs, written as nobody need write them in JSON."""
_PERCENT = re.compile(rb"%(?:2[05bdeBDE]|3[0-9aAdD]|4[0-9a-fA-F]|5[0-9aAfF]|6|7[0-9aA])")
"""Letters, digits, separators and : = @, as URIs may write them."""
_USERINFO = re.compile(rb"/\\*+/(?:[^/?#@:\s\"\\]|\\.)*+:(?:[^/?#@\s\"\\]|\\.)++@")
_AT = re.compile(rb"@")
_GROUPS = re.compile(rb"[0-9]{4}[ +-](?:[0-9]{4}[ +-][0-9]{4}[ +-][0-9]|[0-9]{6}[ +-][0-9]{3})")
_MOMENT = re.compile(rb"1[4-9][0-9]{11}(?![0-9])")
"""Milliseconds since 1970: the most usual run of 13 digits."""
_NUMERALS = b"0123456789."
_IN_NUMBER = frozenset(b"%c" % numeral for numeral in _NUMERALS)
_BEFORE_NUMBER = frozenset({b"", b":", b",", b"[", b" ", b"\t", b"\n"})
_BEFORE_DIGIT = frozenset(_NUMERALS + b"-" + b"".join(_BEFORE_NUMBER))
_LONGEST_NUMBER = 400
_ESCAPE_BYTES = 5
"""From the backslash to the last digit of `\\u00e9`: the digits that follow are not its own."""
_BACKSLASH = ord("\\")

Hits = list[tuple[int, int, int]]
"""Number of the needle, where it begins and where it ends."""


class Place(NamedTuple):
    """Where to look closely, and for what."""

    start: int
    kind: int


class QuickLook:
    """Finds the places of interest for the names of one app."""

    def __init__(self, names: SecretNames, *, emails: bool = False) -> None:
        parts = (part for name in SECRET_PARTS for part in spellings(name))
        whole = (name + end for name in names.whole for end in _ENDS_OF_NAMES)
        needles = dict.fromkeys(_look_of(name) for name in (*parts, *whole))
        self._names = len(needles)
        # One needle by itself is found several times quicker than in company.
        self._passes = (
            (_finder(*needles, b"eyj", b"bearer", b"\\u00"), self._read_words),
            (_finder(b"0" * 13), _read_runs),
            (_finder(b"-0000-0000-"), _read_groups),
            (_finder(b"-000000-"), _read_groups),
        )
        self._passes_of_json = (
            *self._passes,
            (_finder(b"0e000"), _read_exponents),
            (_finder(b"0e-000"), _read_exponents),
        )
        self._signs = ((b"%", _PERCENT), (b"@", _AT if emails else _USERINFO))

    def places(self, text: bytes, *, is_json: bool) -> list[Place]:
        """Return where a secret may stand; the search itself holds up no other thread."""
        flat = text.translate(_LOOK)
        found: list[Place] = []
        for finder, read in self._passes_of_json if is_json else self._passes:
            hits = finder.find_matches_as_indexes(flat)
            if hits:
                found += read(text, hits)
        for sign, pattern in self._signs:
            if sign in text:
                found += (Place(at.start(), OTHER) for at in pattern.finditer(text))
        found.sort()
        return found

    def _read_words(self, text: bytes, hits: Hits) -> Iterator[Place]:
        for needle, at, _ in hits:
            if needle < self._names:
                yield Place(at, NAME)
            elif (_ESCAPED if text[at] == _BACKSLASH else _SHAPED).match(text, at):
                yield Place(at, OTHER)


def _read_runs(text: bytes, hits: Hits) -> Iterator[Place]:
    for _, at, _ in hits:
        if not _MOMENT.match(text, at) and text[at - 1 : at] not in _IN_NUMBER:
            yield from _read_run(text, at)


def _read_run(text: bytes, at: int) -> Iterator[Place]:
    digits = digits_at(text, at)
    if b"\\u" in text[max(0, at - _ESCAPE_BYTES) : at]:
        yield Place(at, OTHER)
    elif len(digits) not in CARD_DIGITS:
        yield from _read_number(text, at)
    elif passes_luhn(digits):
        yield Place(at, CARD)


def _read_exponents(text: bytes, hits: Hits) -> Iterator[Place]:
    for _, at, _ in hits:
        if text[at - 1] in _BEFORE_DIGIT:
            yield from _read_number(text, at)


def _read_number(text: bytes, at: int) -> Iterator[Place]:
    """Tell whether these digits are of a number, not of some word."""
    head = text[max(0, at - _LONGEST_NUMBER) : at].rstrip(_NUMERALS)
    if head.removesuffix(b"-")[-1:] in _BEFORE_NUMBER:
        yield Place(at, BIG)


def _read_groups(text: bytes, hits: Hits) -> Iterator[Place]:
    for _, at, end in hits:
        if _GROUPS.search(text, max(0, at - 4), end + 8):
            yield Place(at, OTHER)


def _finder(*needles: bytes) -> BytesAhoCorasick:
    return BytesAhoCorasick(needles, matchkind=MatchKind.LeftmostFirst)


def _look_of(name: str) -> bytes:
    return name.encode("latin-1").translate(_LOOK)
