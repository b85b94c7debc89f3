"""The size of a body is that of the bytes on the client's wire, as far as it can be known."""

import base64

import msgspec
import pytest

from headwater.collector.bodies import read_body

_LIMIT = 1_000_000


@pytest.mark.parametrize("size", range(8))
def test_base64_counts_as_what_it_stands_for(size: int) -> None:
    """Neither quotes nor padding are part of the body."""
    text = base64.b64encode(b"x" * size).decode()
    body = read_body(msgspec.Raw(msgspec.json.encode(text)), "base64", 0, "$", _LIMIT)
    assert body.size_bytes == size


@pytest.mark.parametrize("text", ["=", "==", "a==", "%"])
def test_no_size_is_below_nothing(text: str) -> None:
    """What only claims to be base64 has some size all the same: the store counts from zero."""
    body = read_body(msgspec.Raw(msgspec.json.encode(text)), "base64", 0, "$", _LIMIT)
    assert body.size_bytes >= 0


def test_an_announced_size_wins() -> None:
    """A Content-Length knows better than what a library made of the body."""
    assert read_body(msgspec.Raw(b'{"a":1}'), None, 99, "$", _LIMIT).size_bytes == 99
