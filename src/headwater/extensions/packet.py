"""Pack messages into batches as they are kept and as they go on the wire: the same bytes.

In: encoded messages. Out: packets: the beginning of `{"batch":[…`, deflated once, with a checksum.
Who sends closes the envelope with a tail of its own, and nothing is compressed or encoded again.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence

import msgspec

_HEAD = b'{"batch":['
_LEVEL = 1
_RAW = -15
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_CLOSE = b"]}"


class Limits(msgspec.Struct, frozen=True):
    """What a receiver takes at once."""

    items: int
    size_bytes: int
    """Of the whole envelope, before compression."""


class Packet(msgspec.Struct, frozen=True):
    """One batch without its end."""

    items: int
    deflated: bytes
    """Raw deflate, flushed at a byte's end, so that a tail can follow."""
    checksum: int
    size_bytes: int
    """Before compression."""

    def gzipped(self, tail: bytes) -> bytes:
        """Return the closed envelope as a gzip file; `tail` begins with `]`."""
        squeezer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
        end = squeezer.compress(tail) + squeezer.flush()
        checksum = zlib.crc32(tail, self.checksum)
        size = (self.size_bytes + len(tail)) & 0xFFFFFFFF
        return b"".join((_GZIP_HEAD, self.deflated, end, struct.pack("<II", checksum, size)))

    def plain(self, tail: bytes) -> bytes:
        """Return the closed envelope as it is."""
        return zlib.decompressobj(_RAW).decompress(self.deflated) + tail

    def payloads(self) -> list[bytes]:
        """Return the messages again."""
        return [bytes(raw) for raw in msgspec.json.decode(self.plain(_CLOSE), type=_Envelope).batch]


class _Envelope(msgspec.Struct):
    batch: list[msgspec.Raw]


def pack(payloads: Sequence[bytes]) -> Packet:
    """Return messages as one packet."""
    body = _HEAD + b",".join(payloads)
    squeezer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    deflated = squeezer.compress(body) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return Packet(len(payloads), deflated, zlib.crc32(body), len(body))


def cut(sizes: Sequence[int], limits: Limits) -> Iterator[slice]:
    """Cut messages of these sizes, in order, into batches within the limits."""
    most = limits.size_bytes
    first, size_bytes = 0, len(_HEAD)
    for place, message_bytes in enumerate(sizes):
        full = place - first == limits.items
        if place > first and (full or size_bytes + message_bytes + 1 > most):
            yield slice(first, place)
            first, size_bytes = place, len(_HEAD)
        size_bytes += message_bytes + 1
    if sizes:
        yield slice(first, len(sizes))
