"""Open the files of an import, plain or compressed with gzip or zstd, as lines.

In: an open binary file. Out: lines without their ends; a file that is one JSON array gives its
members, an HTTP archive its entries. Reads as it goes: a file may be larger than the memory, except
for an array or an archive. A file that is broken gives what can be read, then raises
`CorruptError`.
"""

import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, cast

import pyarrow as pa

from headwater.base.errors import CorruptError, InvalidInputError
from headwater.collector.imports.har import split_archive
from headwater.collector.imports.salvage import salvage_items
from headwater.collector.json_text import heal, split_items

_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_PEEK_BYTES = 4_096
_PAGE_BYTES = 4_194_304
_PIECE_BYTES = 262_144
_SALVAGED_PER_PAGE = 1_000
_BOM = b"\xef\xbb\xbf"
_ENTRIES = re.compile(rb'"entries"\s*:\s*\[')
_ARCHIVE = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')


def open_pages(raw: BinaryIO) -> Iterator[list[bytes]]:
    """Return the file's lines, blank ones left out, some megabytes at a time."""
    try:
        yield from filter(None, _pages(_unpacked(_buffered(raw))))
    except OSError as err:
        raise CorruptError(
            f"This file cannot be read to its end: {err}",
            hint="What could be read was imported; with the whole file, the import goes on.",
        ) from err


def open_lines(raw: BinaryIO) -> Iterator[bytes]:
    """Return the file's lines, blank ones left out."""
    return chain.from_iterable(open_pages(raw))


def _pages(file: io.BufferedReader) -> Iterator[list[bytes]]:
    head = file.peek(_PEEK_BYTES).removeprefix(_BOM)
    if head.lstrip().startswith(b"["):
        yield from _items(heal(file.read()))
    elif _ARCHIVE.match(head):
        yield from _entries(heal(file.read()))
    else:
        yield from map(split_lines, _blocks(file))


def _items(text: bytes) -> Iterator[list[bytes]]:
    try:
        yield split_items(text)
    except InvalidInputError:
        yield from _salvage(text, text.index(b"["))


def _entries(text: bytes) -> Iterator[list[bytes]]:
    try:
        yield list(split_archive(text))
    except InvalidInputError:
        found = _ENTRIES.search(text)
        if found is None:
            raise
        yield from _salvage(text, found.end() - 1)


def _salvage(text: bytes, begin: int) -> Iterator[list[bytes]]:
    """Return page after page of the items before the break, then raise what it is."""
    page: list[bytes] = []
    try:
        for item in salvage_items(text.decode(), len(text[:begin].decode())):
            page.append(item)
            if len(page) == _SALVAGED_PER_PAGE:
                yield page
                page = []
    except CorruptError:
        yield page
        raise


def _blocks(file: io.BufferedReader) -> Iterator[bytes]:
    """Return whole lines, as many as fit into a page; a longer line is a page of its own."""
    rest = b""
    for block in _read(file):
        whole, end, begun = block.rpartition(b"\n")
        if end:
            yield rest + whole
            rest = begun
        else:
            rest += block
    yield rest


def _read(file: io.BufferedReader) -> Iterator[bytes]:
    """Return what can be read, page by page, before the error that ends it."""
    pieces: list[bytes] = []
    try:
        while piece := file.read1(_PIECE_BYTES):
            pieces.append(piece)
            if len(pieces) * _PIECE_BYTES >= _PAGE_BYTES:
                yield b"".join(pieces)
                pieces.clear()
    except OSError:
        yield b"".join(pieces)
        raise
    yield b"".join(pieces)


def split_lines(block: bytes) -> list[bytes]:
    """Return the lines of a text, blank ones left out."""
    lines = block.split(b"\n")
    if b"\r" in block:
        lines = [line.rstrip(b"\r") for line in lines]
    return [line for line in lines if line.strip()]


def _unpacked(file: io.BufferedReader) -> io.BufferedReader:
    head = file.peek(_PEEK_BYTES)
    codec = next((name for mark, name in _PACKED.items() if head.startswith(mark)), "")
    if not codec:
        return file
    # Members one behind the other are read like one.
    return _buffered(pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec))


def _buffered(raw: object) -> io.BufferedReader:
    return io.BufferedReader(cast("io.RawIOBase", raw))
