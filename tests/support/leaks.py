"""Search every file of a folder for words that must not be there, packed or not.

In: a folder and the words. Out: which word was found in which file. Looks at the bytes as they are,
and into every Zstandard frame, LZ4 block and gzip stream in them, wherever it begins: the log and
the store pack what they keep.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

_ZSTD_FRAME = re.compile(rb"\x28\xb5\x2f\xfd")
_LZ4_BLOCK = re.compile(rb"\x82(?=[\x00-\xff]{2}[\x00-\x7f]\x00[\x00-\xff]{2}[\x00-\x7f]\x00)")
"""As the store writes it: the method, the packed size with its nine bytes, the plain size."""
_GZIP_STREAM = re.compile(rb"\x1f\x8b\x08")
_LZ4 = pa.Codec("lz4_raw")
_LEAST_OF_TWO_BYTES = 256
_MOST_BYTES = 100_000_000


def leaks_in(folder: Path, words: Iterable[str]) -> dict[str, set[str]]:
    """Return for each word that was found the files that hold it."""
    forms = {word: re.compile(b"|".join(map(re.escape, _forms(word)))) for word in words}
    found: dict[str, set[str]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for text in _texts(path.read_bytes()):
            for word, form in forms.items():
                if form.search(text):
                    found.setdefault(word, set()).add(str(path.relative_to(folder)))
    return found


def _forms(word: str) -> set[bytes]:
    """Return how a word may be written: as it is, in a URI, in base64 at any place."""
    raw = word.encode()
    packed = {
        base64.b64encode(b"\0" * shift + raw)[(shift * 4 + 2) // 3 : -4] for shift in range(3)
    }
    return {raw, quote(word).encode(), quote(word, safe="").encode(), *packed}


def _texts(data: bytes) -> Iterator[bytes]:
    yield data
    for at in _ZSTD_FRAME.finditer(data):
        yield _unzstd(data[at.start() :])
    for at in _LZ4_BLOCK.finditer(data):
        yield _unlz4(data, at.start())
    for at in _GZIP_STREAM.finditer(data):
        yield _gunzip(data[at.start() :])


def _unzstd(frame: bytes) -> bytes:
    """Return what a frame holds; it tells its size, and what follows is none of it."""
    # The head: four bytes, a descriptor, perhaps a window, then the size in one of four widths.
    descriptor = frame[4] if len(frame) > len(_ZSTD_FRAME.pattern) else 0
    has_window = not descriptor & 0x20
    width = (0 if has_window else 1, 2, 4, 8)[descriptor >> 6]
    size_bytes = int.from_bytes(frame[5 + has_window :][:width], "little")
    size_bytes += _LEAST_OF_TWO_BYTES if width == 2 else 0
    try:
        with pa.CompressedInputStream(pa.BufferReader(frame), "zstd") as stream:
            return bytes(stream.read(min(size_bytes, _MOST_BYTES)))
    except OSError:
        return b""


def _unlz4(data: bytes, at: int) -> bytes:
    packed_bytes, plain_bytes = struct.unpack_from("<II", data, at + 1)
    try:
        return bytes(_LZ4.decompress(data[at + 9 : at + packed_bytes], plain_bytes, asbytes=True))
    except (OSError, ValueError):
        return b""


def _gunzip(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(stream)
    except zlib.error:
        return b""
