"""Open the files of an import, plain or gzip-compressed, as lines.

In: an open binary file. Out: lines without their ends; a file that is one JSON array gives its
members. Reads as it goes: a file may be larger than the memory, except for an array.
"""

import gzip
import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from headwater.collector.json_text import heal, split_items

_GZIP = b"\x1f\x8b"
_PEEK_BYTES = 64


def open_lines(raw: BinaryIO) -> Iterator[bytes]:
    """Return the file's lines, blank ones left out."""
    file = _buffered(raw)
    if file.peek(_PEEK_BYTES).startswith(_GZIP):
        file = _buffered(gzip.GzipFile(fileobj=file))
    if file.peek(_PEEK_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        return iter(split_items(heal(file.read())))
    return (line.rstrip(b"\r\n") for line in file if line.strip())


def _buffered(raw: BinaryIO | gzip.GzipFile) -> io.BufferedReader:
    return io.BufferedReader(cast("io.RawIOBase", raw))
