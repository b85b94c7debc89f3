"""Write items as the bytes of one file: JSON lines or Parquet, compressed.

In: the items of one source and day. Out: bytes, always the same for the same items. Pure.
"""

import gzip
import io
from collections.abc import Sequence

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from headwater.base.ids import stable_id
from headwater.destinations.contract import Item, Values

_TIME = pa.timestamp("us", tz="UTC")
_ENDINGS = {"gzip": ".gz", "zstd": ".zst", "none": ""}
_TYPES = {"jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}


def file_path(values: Values, items: Sequence[Item]) -> str:
    """Return where below the location a file belongs; the same items always get the same name."""
    message = items[0].message
    name = stable_id(*(part for item in items for part in (item.message.message_id, item.mapping)))
    day = f"{message.received_at:%Y-%m-%d}"
    return f"source={message.source_id}/date={day}/{name}{_ending(values)}"


def content_type(values: Values) -> str:
    """Return what a store is told about a file."""
    return _TYPES[values["format"]]


def write_rows(values: Values, items: Sequence[Item]) -> bytes:
    """Return the whole file."""
    write = _write_parquet if values["format"] == "parquet" else _write_lines
    return write(items, values["compression"])


def _ending(values: Values) -> str:
    if values["format"] == "parquet":
        return ".parquet"
    return f".jsonl{_ENDINGS[values['compression']]}"


def _write_lines(items: Sequence[Item], compression: str) -> bytes:
    lines = b"".join(msgspec.json.encode(item.fields["row"]) + b"\n" for item in items)
    if compression == "gzip":
        return gzip.compress(lines, mtime=0)
    if compression == "zstd":
        packed: bytes = pa.compress(lines, codec="zstd", asbytes=True)
        return packed
    return lines


def _write_parquet(items: Sequence[Item], compression: str) -> bytes:
    messages = [item.message for item in items]
    table = pa.table(
        {
            "message_id": [one.message_id for one in messages],
            "type": [one.type for one in messages],
            "event": pa.array([_text(one.body.get("event")) for one in messages], pa.string()),
            "user_id": [one.user_id for one in messages],
            "anonymous_id": [one.anonymous_id for one in messages],
            "timestamp": pa.array([one.timestamp for one in messages], _TIME),
            "received_at": pa.array([one.received_at for one in messages], _TIME),
            "message": [msgspec.json.encode(item.fields["row"]).decode() for item in items],
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file, compression=compression)
    return file.getvalue()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
