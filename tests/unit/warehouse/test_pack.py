"""Rows become Arrow tables that fit what the warehouse has."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from headwater.warehouse.pack import pack
from headwater.warehouse.types import Kind

AT = datetime(2026, 11, 23, tzinfo=UTC)


def _row(id_: str, **fields: object) -> dict[str, Any]:
    return {"id": id_, "received_at": AT, "uuid_ts": AT, **fields}


def test_columns_have_the_types_of_their_values() -> None:
    """A column stands for all rows; a row without it is null there."""
    packed = pack("t", [_row("1", n=1, day="2026-11-22"), _row("2", n=2.5, ok=True)], {})
    assert packed.data.schema.field("n").type == pa.float64()
    assert packed.data.schema.field("day").type == pa.timestamp("us", "UTC")
    assert packed.data["ok"].to_pylist() == [None, True]
    assert (packed.widened, packed.discards) == ([], [])


def test_ids_are_text_even_when_they_look_like_dates() -> None:
    """The type of a common column never depends on its first value."""
    packed = pack("t", [_row("2026-11-22", user_id="2026-11-22")], {})
    assert packed.data.schema.field("id").type == pa.string()
    assert packed.data.schema.field("user_id").type == pa.string()


def test_an_integer_column_is_widened_once() -> None:
    """A fraction in an integer column asks for float; in a float column for nothing."""
    rows = [_row("1", n=1.5)]
    assert pack("t", rows, {"n": Kind.INTEGER}).widened == ["n"]
    assert pack("t", rows, {"n": Kind.FLOAT}).widened == []


def test_what_does_not_fit_is_kept_as_a_discard() -> None:
    """The value becomes null, and a row tells table, row, column, value and reason."""
    packed = pack("calls", [_row("1", n="many"), _row("2", n=3)], {"n": Kind.INTEGER})
    assert packed.data["n"].to_pylist() == [None, 3]
    assert packed.discards == [
        {
            "table_name": "calls",
            "row_id": "1",
            "column_name": "n",
            "column_value": "many",
            "reason": "the column is of type integer",
            "received_at": AT,
            "uuid_ts": AT,
        }
    ]


def test_a_column_without_any_value_left_is_not_made() -> None:
    """A time that cannot be read makes no column of nulls, but a discard."""
    packed = pack("t", [_row("1", sent_at="yesterday")], {})
    assert "sent_at" not in packed.data.column_names
    assert [row["column_name"] for row in packed.discards] == ["sent_at"]
