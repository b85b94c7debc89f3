"""The size of a body is that of the bytes on the client's wire, as far as it can be known."""

import base64

import msgspec
import pytest

from headwater.base.vault import Vault
from headwater.collector.bodies import Body, read_body
from headwater.collector.masking import masker_for
from headwater.collector.wire import ResponseIn
from headwater.workspace import MaskingPolicy

_LIMIT = 1_000_000
_MASKER = masker_for(MaskingPolicy(), Vault(bytes(32)))


def _read(raw: bytes, encoding: str | None, announced_bytes: int | None = None) -> Body:
    message = ResponseIn(
        body=msgspec.Raw(raw), transfer_encoding=encoding, content_length=announced_bytes
    )
    return read_body(message, "$", _MASKER, _LIMIT)


@pytest.mark.parametrize("size", range(8))
def test_base64_counts_as_what_it_stands_for(size: int) -> None:
    """Neither quotes nor padding are part of the body."""
    text = base64.b64encode(b"x" * size).decode()
    body = _read(msgspec.json.encode(text), "base64")
    assert body.size_bytes == size


@pytest.mark.parametrize("text", ["=", "==", "a==", "%"])
def test_no_size_is_below_nothing(text: str) -> None:
    """What only claims to be base64 has some size all the same: the store counts from zero."""
    body = _read(msgspec.json.encode(text), "base64")
    assert body.size_bytes >= 0


def test_an_announced_size_wins() -> None:
    """A Content-Length knows better than what a library made of the body."""
    assert _read(b'{"a":1}', None, 99).size_bytes == 99
