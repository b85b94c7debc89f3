"""Make Arrow tables out of rows, typed so that they fit what the warehouse has already.

In: rows of one table, and the types of its existing columns. Out: an Arrow table, the columns that
must first be widened, and the values that fit nowhere. Pure.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
import pyarrow as pa

from headwater.warehouse.tables import DECLARED_KINDS, Row
from headwater.warehouse.types import Kind, fit_all, to_text, widen_kind

DISCARDS = "_discards"
_DISCARD_REASON = "the column is of type {kind}"
_ARROW = {
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.VARCHAR: pa.string(),
}


class Packed(msgspec.Struct, frozen=True):
    """One table of one load, ready."""

    data: pa.Table
    widened: list[str]
    """Existing integer columns that now need to be float."""
    discards: list[Row]
    """Rows of `_discards`: values that became null."""


def pack(table: str, rows: Sequence[Row], existing: Mapping[str, Kind]) -> Packed:
    """Type the columns of `rows`; a column without any value left is not made."""
    arrays: dict[str, Any] = {}
    widened: list[str] = []
    discards: list[Row] = []
    for column in dict.fromkeys(chain.from_iterable(rows)):
        values = [row.get(column) for row in rows]
        kind = widen_kind(existing.get(column) or DECLARED_KINDS.get(column), values)
        if kind is None:
            continue
        fitted, misfits = fit_all(values, kind)
        discards += [_discard(table, rows[index], column, kind) for index in misfits]
        if column in existing or any(value is not None for value in fitted):
            arrays[column] = pa.array(fitted, _ARROW[kind])
        if existing.get(column, kind) is not kind:
            widened.append(column)
    return Packed(pa.table(arrays), widened, discards)


def _discard(table: str, row: Row, column: str, kind: Kind) -> Row:
    return {
        "table_name": table,
        "row_id": row["id"],
        "column_name": column,
        "column_value": to_text(row[column]),
        "reason": _DISCARD_REASON.format(kind=kind),
        "received_at": row["received_at"],
        "uuid_ts": row["uuid_ts"],
    }
