"""Bodies: decompressed under a cap, whatever a client sends."""

import gzip
import zlib
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.asgi import decompress, read_body
from headwater.base.errors import InvalidInputError, SlowBodyError, TooLargeError

MEGABYTE = 1 << 20


def _raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", _raw_deflate),
    ],
    ids=["none", "identity", "gzip", "zlib-wrapped deflate", "raw deflate"],
)
@given(data=st.binary(max_size=5_000))
def test_every_encoding_of_the_clients_is_undone(encoding: str, pack: Any, data: bytes) -> None:
    """What was packed comes out again."""
    assert data == decompress(pack(data), encoding, max_bytes=MEGABYTE)


def test_gzip_members_in_a_row_are_one_body() -> None:
    """RFC 1952 allows it, and some proxies do it."""
    assert decompress(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", max_bytes=10) == b"ab"


def test_a_bomb_stops_at_the_cap() -> None:
    """A small body that unpacks to much is refused before it fills the memory."""
    bomb = gzip.compress(bytes(64 * MEGABYTE))

    with pytest.raises(TooLargeError):
        decompress(bomb, "gzip", max_bytes=MEGABYTE)


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [(b"not gzip", "gzip"), (gzip.compress(b"x" * 999, mtime=0)[:-9], "gzip"), (b"x", "br")],
    ids=["garbage", "cut short", "unknown encoding"],
)
def test_broken_bodies_are_the_callers_fault(raw: bytes, encoding: str) -> None:
    """Each is a clear error, never a crash."""
    with pytest.raises(InvalidInputError):
        decompress(raw, encoding, max_bytes=MEGABYTE)


async def test_a_body_that_never_ends_is_given_up() -> None:
    """A client that sends nothing cannot hold a request for ever."""

    async def silent() -> MutableMapping[str, Any]:
        import asyncio

        await asyncio.sleep(60)
        return {}

    with pytest.raises(SlowBodyError, match="did not arrive"):
        await read_body({}, silent, "", max_bytes=10, timeout_s=0.01)


async def test_the_cap_counts_while_the_body_arrives() -> None:
    """An endless body is refused at the cap, not at its end."""
    sent = 0

    async def endless() -> MutableMapping[str, Any]:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    with pytest.raises(TooLargeError):
        await read_body({}, endless, "", max_bytes=1_000, timeout_s=5)
    assert sent == 11
