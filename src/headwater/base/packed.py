"""Pack columns into bytes that fit into a JSON record, and read them back.

In: columns of Arrow without holes. Out: numbers side by side, little end first; texts once each,
beside the numbers of their places. What is read back has the rows that its bytes have room for, so
that nobody can announce more than was sent. Pure.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_PLACES = pa.uint32()
PLACE_BYTES = 4


def pack(column: pa.Array) -> bytes:
    """Return the numbers of a column."""
    size = column.type.bit_width // 8
    start = column.offset * size
    buffer = column.buffers()[1]
    return bytes(buffer[start : start + len(column) * size]) if buffer else b""


def unpack(packed: bytes, type_: pa.DataType) -> pa.Array:
    """Return the column that was packed."""
    rows = len(packed) // (type_.bit_width // 8)
    return pa.Array.from_buffers(type_, rows, [None, pa.py_buffer(packed)])


def take(packed: bytes, type_: pa.DataType, rows: pa.Array) -> bytes:
    """Return the packed column of these rows alone."""
    return pack(unpack(packed, type_).take(rows))


def pack_texts(values: Sequence[str], places: pa.Array) -> tuple[list[str], bytes]:
    """Return the texts that rows have, in the order of rows, and for each row which it has.

    Those that no row has are left out: who reads a column may count its texts.
    """
    used = places.dictionary_encode()
    left = [values[place] for place in used.dictionary.to_pylist()]
    return left, pack(used.indices.cast(_PLACES))


def unpack_texts(values: Sequence[str], places: bytes) -> pa.DictionaryArray:
    """Return a column, in which texts that became the same are one."""
    indices, texts = unpack(places, _PLACES).cast(pa.int32()), pa.array(values, pa.string())
    if len(set(values)) < len(values):
        found = texts.dictionary_encode()
        indices, texts = found.indices.take(indices), found.dictionary
    return pa.DictionaryArray.from_arrays(indices, texts)


def take_texts(values: Sequence[str], places: bytes, rows: pa.Array) -> tuple[list[str], bytes]:
    """Return the packed column of these rows alone."""
    return pack_texts(values, unpack(places, _PLACES).take(rows))


def highest_place(places: bytes) -> int:
    """Return the last text that any row has; there is at least one row."""
    highest: int = pc.max(unpack(places, _PLACES)).as_py()
    return highest
