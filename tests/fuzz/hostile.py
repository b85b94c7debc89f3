"""Make up bodies as no well-behaved client sends them, and know how many items each one has.

Out: Hypothesis strategies. A hostile value is JSON text already, since much of it cannot be said
with Python's own values: numbers of a thousand digits, keys that come twice, lone surrogates,
broken escapes, literals that only other languages know.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Text = st.SearchStrategy[bytes]

_ODD_TEXTS = (
    b'""', b'"0"', b'" "', b'"null"', b'"\\u0000"', b'"\x00"', b'"\\ud800"', b'"\\udfff\\ud800"',
    b'"\\uD83D\\uDE00"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"a\nb\rc\td"', b'"\\n\\r\\u2028"',
    b'"\\u001b[31m"', b'"\xe2\x80\xae"', b'"' + b"x" * 600 + b'"', b'"' + b"9" * 20_000 + b'"',
    b'"2026-02-30T25:61:61Z"', b'"2026-11-23T09:00:00.123456789+14:00"', b'"0001-01-01"',
    b'"9999-12-31T23:59:60Z"', b'"1764000000"', b'"/*"', b'"\'; DROP TABLE calls; --"',
    b'"http://[::1"', b'"//"', b'"http://a:b@c/d?e=f#g"', b'"https://a/%zz%00%ff"', b'"*"',
)  # fmt: skip
_ODD_NUMBERS = (
    b"0", b"-0", b"-0.0", b"-1", b"1e999", b"-1e999", b"1e-999", b"1E400", b"9" * 30, b"9" * 5_000,
    b"9223372036854775807", b"9223372036854775808", b"18446744073709551615",
    b"18446744073709551616", b"-9223372036854775809", b"4294967296", b"65536", b"1.7976e308",
    b"1764000000", b"1764000000000", b"1764000000000000000", b"0.1", b"3.0", b"0" * 20 + b"1",
)  # fmt: skip
_ODD_LITERALS = (
    b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity", b"nul", b"True", b"undefined",
    b"'a'", b"01", b"+1", b".5", b"1.", b"0x10", b"{a:1}", b'{"a":}', b"[1 2]", b"[1,,2]",
    b'{"a" 1}', b'"\\x41"', b'"\\u12"', b"/* a */ 1", b"\xef\xbb\xbf1", b"\x00", b"{}", b"[]",
)  # fmt: skip
_DEEP = tuple(
    opening * depth + b"1" + closing * depth
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]"))
    for depth in (90, 101, 900, 5_000, 60_000)
)


def _quoted(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _object(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"{" + b",".join(name + b":" + value for name, value in pairs) + b"}"


def _list(values: list[bytes]) -> bytes:
    return b"[" + b",".join(values) + b"]"


texts: Text = st.one_of(
    st.sampled_from(_ODD_TEXTS), st.text(st.characters(), max_size=30).map(_quoted)
)
numbers: Text = st.one_of(
    st.sampled_from(_ODD_NUMBERS), st.integers().map(lambda n: str(n).encode())
)
anything: Text = st.recursive(
    st.one_of(texts, numbers, st.sampled_from(_ODD_LITERALS), st.sampled_from(_DEEP)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(_list),
        st.lists(st.tuples(texts, inner), max_size=3).map(_object),
    ),
    max_leaves=6,
)


@st.composite
def documents(draw: st.DrawFn, good: Mapping[str, Any], ids: Mapping[str, str]) -> bytes:
    """Take a good document and spoil some fields: another value, twice, left out, a stranger.

    The fields of `ids` are texts of their own in each document, and never spoiled.
    """
    pairs = []
    for name, value in good.items():
        for turn in range(draw(st.sampled_from((0, 1, 1, 1, 1, 1, 1, 2)))):
            is_deep = isinstance(value, dict | list)
            is_spoiled = turn or draw(st.integers(0, 1 if is_deep else 5)) == 0
            pairs.append((_quoted(name), draw(_spoiled(value) if is_spoiled else _good(value))))
    if draw(st.integers(0, 4)) == 0:
        pairs.append((draw(texts), draw(anything)))
    own = [(_quoted(name), _quoted(value)) for name, value in ids.items()]
    return _object(draw(st.permutations(pairs)) + own)


def _good(value: Any) -> Text:
    return st.just(json.dumps(value).encode())


def _spoiled(value: Any) -> Text:
    match value:
        case dict():
            inner = documents(value, {})
            return st.one_of(inner, inner, inner, anything)
        case [*items]:
            inner = st.tuples(*map(_spoiled, items)).map(list).map(_list)
            return st.one_of(inner, inner, inner, anything)
    return anything


def batches(item: Callable[[st.DrawFn], bytes]) -> st.SearchStrategy[tuple[bytes, int]]:
    """Return bodies of one item or several, with their number."""

    @st.composite
    def make(draw: st.DrawFn) -> tuple[bytes, int]:
        count = draw(st.integers(0, 8))
        items = [item(draw) for _ in range(count or 1)]
        blank = draw(st.sampled_from((b"", b" ", b"\n\t ")))
        if not count:
            return blank + items[0], 1
        return blank + b"[" + (blank + b"," + blank).join(items) + b"]" + blank, count

    return make()


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Flip, cut, repeat and insert bytes."""
    body = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 6))):
        at, to = sorted(draw(st.integers(0, len(body))) for _ in range(2))
        match draw(st.integers(0, 4)):
            case 0 if at < len(body):
                body[at] = draw(st.integers(0, 255))
            case 1:
                del body[at:to]
            case 2:
                body[at:at] = body[at : min(to, at + 1_000)]
            case 3:
                body[at:at] = draw(st.binary(max_size=8))
            case _:
                body[at:at] = draw(st.sampled_from((b'"', b"\\", b"[", b"}", b",", b"\x00")))
    return bytes(body)


PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}
