"""Rows become Arrow tables that fit what the warehouse has."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from headwater.warehouse.arrow import ARROW, fit_column
from headwater.warehouse.pack import DISCARDS, pack
from headwater.warehouse.types import Kind, fit_all, infer_kind, widen_kind

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


def test_a_discard_is_text_whatever_was_discarded() -> None:
    """A time that fits nowhere makes no column of times in `_discards`."""
    row = {"table_name": "t", "row_id": "1", "column_name": "n", "column_value": "2026-11-22"}
    packed = pack(DISCARDS, [{**row, "received_at": AT, "uuid_ts": AT}], {})
    assert packed.data.schema.field("column_value").type == pa.string()


_VALUE = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
    | st.sampled_from(
        [
            "2026-11-22", "2026-11-22T10:00Z", "2026-11-22T10:00:00.123+0530", "2026-02-31T10:00Z",
            "0000-01-01T00:00Z", "0001-01-01T00:00+05:00", "9999-12-31T23:59-01:00",
            "2026-11-22T24:00Z", "2026-11-22T10:00:00.123456789Z", "2026-11-22 10:00Z", "2026-11",
        ]
    )
)  # fmt: skip


@given(st.lists(_VALUE, max_size=4), st.none() | st.sampled_from(Kind))
def test_the_quick_way_is_the_careful_way(values: list[Any], existing: Kind | None) -> None:
    """Whatever the values and the column's type: the same type, array and misfits."""
    kind = widen_kind(existing, values)
    found = fit_column(values, existing)
    if found is None:
        assert infer_kind(values) is None
        return
    fitted, misfits = fit_all(values, kind) if kind else ([], [])
    assert (found.kind, found.array.to_pylist(), found.misfits) == (
        kind, pa.array(fitted, ARROW[kind or Kind.VARCHAR]).to_pylist(), misfits,
    )  # fmt: skip
