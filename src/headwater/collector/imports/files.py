"""Open the files of an import, plain or compressed with gzip or zstd, as lines.

In: an open binary file. Out: lines without their ends; a file that is one JSON array gives its
members, an HTTP archive its entries. Reads as it goes: a file may be larger than the memory, except
for an array or an archive. A compressed file that is broken gives what can be read, then raises
`CorruptError`.
"""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO, cast

import pyarrow as pa

from headwater.base.errors import CorruptError
from headwater.collector.imports.har import split_archive
from headwater.collector.json_text import heal, split_items

_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_PEEK_BYTES = 4_096
_BOM = b"\xef\xbb\xbf"
_ARCHIVE = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')


def open_lines(raw: BinaryIO) -> Iterator[bytes]:
    """Return the file's lines, blank ones left out."""
    try:
        yield from _lines(_unpacked(_buffered(raw)))
    except OSError as err:
        raise CorruptError(
            f"This file cannot be read to its end: {err}",
            hint="What could be read was imported; with the whole file, the import goes on.",
        ) from err


def _lines(file: io.BufferedReader) -> Iterator[bytes]:
    head = file.peek(_PEEK_BYTES).removeprefix(_BOM)
    if head.lstrip().startswith(b"["):
        return iter(split_items(heal(file.read())))
    if _ARCHIVE.match(head):
        return split_archive(file.read())
    return (line.rstrip(b"\r\n") for line in file if line.strip())


def _unpacked(file: io.BufferedReader) -> io.BufferedReader:
    head = file.peek(_PEEK_BYTES)
    codec = next((name for mark, name in _PACKED.items() if head.startswith(mark)), "")
    if not codec:
        return file
    # Members one behind the other are read like one.
    return _buffered(pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec))


def _buffered(raw: object) -> io.BufferedReader:
    return io.BufferedReader(cast("io.RawIOBase", raw))
