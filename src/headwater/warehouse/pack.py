"""Make Arrow tables out of rows, typed so that they fit what the warehouse has already.

In: rows of one table, the types of its existing columns, what the database can hold. Out: an Arrow
table, the columns that must first be widened, and the values that fit nowhere. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec
import pyarrow as pa

from headwater.warehouse.arrow import ARROW, fit_column
from headwater.warehouse.tables import DECLARED_KINDS, Row
from headwater.warehouse.types import Kind, to_text

DISCARDS = "_discards"
_OF_DISCARDS = dict.fromkeys(
    ("table_name", "row_id", "column_name", "column_value", "reason"), Kind.VARCHAR
)
_NO_FIT = "the column is of type {kind}"
_NO_ROOM = "the table has as many columns as it may, {count}"
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What a table can take."""

    columns: int = 2_000
    earliest: datetime = _FIRST
    latest: datetime = _LAST


class Packed(msgspec.Struct, frozen=True):
    """One table of one load, ready."""

    data: pa.Table
    widened: list[str]
    """Existing integer columns that now need to be float."""
    discards: list[Row]
    """Rows of `_discards`: values that became null."""


def pack(
    table: str, rows: Sequence[Row], existing: Mapping[str, Kind], room: Room | None = None
) -> Packed:
    """Type the columns of `rows`; a column without any value left is not made."""
    room = room or Room()
    arrays: dict[str, Any] = {}
    widened: list[str] = []
    discards: list[Row] = []
    declared = DECLARED_KINDS | (_OF_DISCARDS if table == DISCARDS else {})
    left = room.columns - len(existing)
    for column in dict.fromkeys(chain.from_iterable(rows)):
        known = existing.get(column)
        values = _values(rows, column)
        if known is None and left <= 0:
            reason = _NO_ROOM.format(count=room.columns)
            discards += (_discard(table, row, column, reason) for row in rows if column in row)
            continue
        fitted = fit_column(values, known, declared.get(column), room.earliest, room.latest)
        if fitted is None:
            continue
        reason = _NO_FIT.format(kind=fitted.kind)
        discards += (_discard(table, rows[index], column, reason) for index in fitted.misfits)
        if known is not None or fitted.array.null_count < len(rows):
            arrays[column] = fitted.array
            left -= known is None
        if known not in {None, fitted.kind}:
            widened.append(column)
    return Packed(pa.table(arrays), widened, discards)


def _values(rows: Sequence[Row], column: str) -> list[Any]:
    try:
        return list(map(itemgetter(column), rows))  # half the time of asking each row with care
    except KeyError:
        return [row.get(column) for row in rows]


def table_of(rows: Iterable[Sequence[Any]], kinds: Mapping[str, Kind]) -> pa.Table:
    """Return rows that a database answered as a table of these columns."""
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    return pa.table(
        {
            name: pa.array(values, ARROW[kind])
            for (name, kind), values in zip(kinds.items(), columns, strict=True)
        }
    )


def kind_of_arrow(of: Any) -> Kind:
    """Return our type for Arrow's."""
    return next(kind for kind, arrow in ARROW.items() if arrow == of)


def _discard(table: str, row: Row, column: str, reason: str) -> Row:
    return {
        "table_name": table,
        "row_id": row["id"],
        "column_name": column,
        "column_value": to_text(row[column]),
        "reason": reason,
        "received_at": row["received_at"],
        "uuid_ts": row["uuid_ts"],
    }
