"""Read lines of the combined format many at a time, where they have the plain shape.

In: lines. Out: their facts column by column, and which lines those are; lines of another shape are
for `combined`, which is the truth about both. A plain line is printable ASCII with exactly the six
quotes of the format, a time of this century, and numbers written as machines write them. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import asdict
from pyarrow import csv

from headwater.base.packed import pack, pack_texts, take, take_texts, unpack
from headwater.collector.imports.combined import NOTHING, read_request
from headwater.collector.imports.fields import day_first
from headwater.collector.times import EPOCH, read_time
from headwater.model import ID_BYTES, UNKNOWN_SIZE, CallColumns, Texts

_PRINTABLE = bytes(range(32, 127))
_HEAD = (
    r"^[^ ]{1,512} [^ ]+ [^ ]{1,256} \[(?:0[1-9]|[12][0-9]|3[01])"
    r"/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/20[0-9][0-9]"
    r":(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] [+-](?:0[0-9]|1[0-4])[0-5][0-9]\] $"
)
_MIDDLE = r"^ [0-9]{3} (?:0|[1-9][0-9]{0,11}|-) $"
_STAMP = len("[17/May/2015:10:05:03 +0000] ")
"""Characters at the end of a head. Places are counted from there."""
_WHO = -_STAMP - 1
_DAY, _ZONE = (1 - _STAMP, 12 - _STAMP), (22 - _STAMP, 27 - _STAMP)
_CLOCK = ((13 - _STAMP, 3_600), (16 - _STAMP, 60), (19 - _STAMP, 1))
_STATUS, _SIZE = (1, 4), (5, -1)
_PER_SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)
_TEXT = pa.dictionary(pa.int32(), pa.string())
_COLUMNS = {
    "head": pa.string(), "request": _TEXT, "middle": pa.string(), "referer": _TEXT,
    "gap": pa.string(), "agent": _TEXT, "end": pa.string(),
}  # fmt: skip
_CONVERT = csv.ConvertOptions(column_types=_COLUMNS, strings_can_be_null=False)
_SHAPE: Mapping[str, Any] = {"delimiter": '"', "quote_char": False, "double_quote": False}


class Plain(NamedTuple):
    """The lines of plain shape."""

    places: Sequence[int]
    """Where they stand among the lines."""
    columns: CallColumns | None
    """What they say, without ids; None when there are no such lines."""


def read_plain(lines: Sequence[bytes]) -> Plain:
    """Return what the lines of plain shape say."""
    places, batch = _split(*_printable(lines))
    if batch is None:
        return Plain([], None)
    places, batch = _keep(places, batch, _has_shape(batch))
    times = _times(batch["head"])
    places, batch = _keep(places, batch, times.is_valid())
    return Plain(places, _to_columns(batch, times.drop_null()) if places else None)


def _printable(lines: Sequence[bytes]) -> tuple[Sequence[int], bytes]:
    """Return where the lines of printable ASCII stand, and their text."""
    text = b"\n".join(lines)
    if all(lines) and len(text.translate(None, _PRINTABLE)) < len(lines):
        # Nothing but what is between them.
        return range(len(lines)), text
    places = [n for n, line in enumerate(lines) if line and not line.translate(None, _PRINTABLE)]
    return places, b"\n".join([lines[place] for place in places])


def _split(places: Sequence[int], text: bytes) -> tuple[Sequence[int], pa.RecordBatch | None]:
    """Return what stands between the quotes of the lines that have as many as the format."""
    if not text:
        return [], None
    odd: set[int] = set()

    def skip(row: csv.InvalidRow) -> str:
        odd.add(row.number - 1)
        return "skip"

    parse = csv.ParseOptions(**_SHAPE, invalid_row_handler=skip)
    read = csv.ReadOptions(use_threads=False, column_names=list(_COLUMNS), block_size=len(text) + 1)
    table = csv.read_csv(pa.BufferReader(text), read, parse, _CONVERT).combine_chunks()
    if odd:
        places = [place for row, place in enumerate(places) if row not in odd]
    return places, table.to_batches()[0] if places else None


def _has_shape(batch: pa.RecordBatch) -> pa.BooleanArray:
    shapes = (
        pc.match_substring_regex(batch["head"], _HEAD),
        pc.match_substring_regex(batch["middle"], _MIDDLE),
        pc.equal(batch["gap"], " "),
        pc.equal(batch["end"], ""),
    )
    return reduce(pc.and_, shapes)


def _keep(
    places: Sequence[int], batch: pa.RecordBatch, fits: pa.BooleanArray
) -> tuple[Sequence[int], pa.RecordBatch]:
    if fits.true_count == len(places):
        return places, batch
    left = [place for place, fit in zip(places, fits.to_pylist(), strict=True) if fit]
    return left, batch.filter(fits)


def _times(heads: pa.StringArray) -> pa.Int64Array:
    """Return microseconds since 1970, null where a day does not exist, such as 31/Feb."""
    days = pc.binary_join_element_wise(_part(heads, _DAY), _part(heads, _ZONE), ":00:00:00 ")
    began = days.dictionary_encode()
    midnights = pa.array(map(_midnight, began.dictionary.to_pylist()), pa.int64())
    clock = (
        pc.multiply(_part(heads, (start, start + 2)).cast(pa.int64()), seconds * _PER_SECOND)
        for start, seconds in _CLOCK
    )
    return reduce(pc.add, clock, midnights.take(began.indices))


def _midnight(day: str) -> int | None:
    at = read_time(day_first(day))
    return None if at is None else (at - EPOCH) // _MICROSECOND


def _to_columns(batch: pa.RecordBatch, times: pa.Int64Array) -> CallColumns:
    head, middle = batch["head"], batch["middle"]
    who = pc.split_pattern(_part(head, (0, _WHO)), " ")
    addresses = pc.list_element(who, 0).dictionary_encode()
    sizes = pc.replace_substring(_part(middle, _SIZE), NOTHING, str(UNKNOWN_SIZE))
    requests = [read_request(text) for text in batch["request"].dictionary.to_pylist()]
    return CallColumns(
        call_ids=b"",
        times=pack(times),
        statuses=pack(_part(middle, _STATUS).cast(pa.uint16())),
        response_sizes=pack(sizes.cast(pa.int64())),
        verbs=_texts(batch["request"], [verb for verb, _ in requests]),
        uris=_texts(batch["request"], [target for _, target in requests]),
        user_ids=_given(pc.list_element(who, 2).dictionary_encode()),
        ip_addresses=_texts(addresses, addresses.dictionary.to_pylist()),
        referers=_given(batch["referer"]),
        user_agents=_given(batch["agent"]),
    )


def _part(texts: pa.StringArray, ends: tuple[int, int]) -> pa.StringArray:
    # As bytes: all of it is ASCII, and characters would be counted one by one.
    return pc.binary_slice(texts.cast(pa.binary()), *ends).cast(pa.string())


def _given(texts: pa.DictionaryArray) -> Texts:
    """Return texts without those that only say that there is none."""
    values = texts.dictionary.to_pylist()
    return _texts(texts, ["" if value == NOTHING else value for value in values])


def _texts(column: pa.DictionaryArray, values: list[str]) -> Texts:
    """Return a column with another text for each different one."""
    return Texts(*pack_texts(values, column.indices))


def span_of(columns: CallColumns) -> tuple[datetime, datetime]:
    """Return the first and the last time."""
    times = unpack(columns.times, pa.int64()).cast(pa.timestamp("us", "UTC"))
    ends = pc.min_max(times).as_py()
    return ends["min"], ends["max"]


def take_rows(columns: CallColumns, rows: Sequence[int]) -> CallColumns:
    """Return these rows alone."""
    wanted = pa.array(rows, pa.int64())
    ids = (columns.call_ids[row * ID_BYTES : (row + 1) * ID_BYTES] for row in rows)
    texts = {
        name: Texts(*take_texts(column.values, column.places, wanted))
        for name, column in asdict(columns).items()
        if isinstance(column, Texts)
    }
    return CallColumns(
        call_ids=b"".join(ids),
        times=take(columns.times, pa.int64(), wanted),
        statuses=take(columns.statuses, pa.uint16(), wanted),
        response_sizes=take(columns.response_sizes, pa.int64(), wanted),
        **texts,
    )
