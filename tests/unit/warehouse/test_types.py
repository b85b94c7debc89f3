"""Types are found in values, and values are fitted into types."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.warehouse.types import Kind, fit, fit_all, infer_kind, read_time, widen_kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, 2], Kind.INTEGER),
        ([1, 2.5], Kind.FLOAT),
        ([True, None], Kind.BOOLEAN),
        ([True, 1], Kind.VARCHAR),
        (["a"], Kind.VARCHAR),
        (["1", "2"], Kind.VARCHAR),
        ([1, "a"], Kind.VARCHAR),
        (["2026-11-22"], Kind.TIMESTAMP),
        (["2026-11-22", "soon"], Kind.VARCHAR),
        (["2026-11-22", 1], Kind.VARCHAR),
        ([2**63], Kind.FLOAT),
        ([2**63 - 1, -(2**63)], Kind.INTEGER),
        ([None], None),
        ([], None),
    ],
)
def test_the_narrowest_type_that_holds_all(values: list[Any], kind: Kind | None) -> None:
    """Integer and float make float; any other mixture makes varchar."""
    assert infer_kind(values) is kind


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00.25+02:00", datetime(2026, 11, 22, 8, 0, 0, 250_000, UTC)),
        ("2026-11-22T10:00:00.123456789Z", datetime(2026, 11, 22, 10, 0, 0, 123_456, UTC)),
        ("2026-11-22T10:00:00+0200", datetime(2026, 11, 22, 8, tzinfo=UTC)),
    ],
)
def test_iso_times_are_read_as_utc(text: str, at: datetime) -> None:
    """Dates and date-times, with or without a zone."""
    assert read_time(text) == at


@pytest.mark.parametrize(
    "text",
    ["20261122", "2026", "1700000000", "2026-W47", "2026-02-31", "2026-11-22 10:00:00", "10:00",
     "0001-01-01T00:00:00+14:00", "2026-11-22T25:00:00Z", "\uff12026-11-22", " 2026-11-22", ""],
)  # fmt: skip
def test_everything_else_is_text(text: str) -> None:
    """Bare digits above all are never taken for a time."""
    assert read_time(text) is None


@pytest.mark.parametrize(
    ("existing", "values", "kind"),
    [
        (None, [1], Kind.INTEGER),
        (Kind.INTEGER, [1.5], Kind.FLOAT),
        (Kind.INTEGER, [1.5, "text"], Kind.FLOAT),
        (Kind.INTEGER, ["text"], Kind.INTEGER),
        (Kind.INTEGER, [True], Kind.INTEGER),
        (Kind.INTEGER, [2**64], Kind.FLOAT),
        (Kind.FLOAT, [1], Kind.FLOAT),
        (Kind.BOOLEAN, ["yes"], Kind.BOOLEAN),
        (Kind.TIMESTAMP, ["soon"], Kind.TIMESTAMP),
        (Kind.VARCHAR, [1], Kind.VARCHAR),
    ],
)
def test_only_integer_ever_widens(existing: Kind | None, values: list[Any], kind: Kind) -> None:
    """A column keeps its type, except that integer becomes float when a fraction comes."""
    assert widen_kind(existing, values) is kind


@pytest.mark.parametrize(
    ("value", "kind", "fitted"),
    [
        (1, Kind.FLOAT, 1.0),
        (True, Kind.FLOAT, None),
        ("1", Kind.INTEGER, None),
        (True, Kind.INTEGER, None),
        (2**63, Kind.INTEGER, None),
        (1, Kind.BOOLEAN, None),
        (10**400, Kind.FLOAT, None),
        ("soon", Kind.TIMESTAMP, None),
        (1_700_000_000, Kind.TIMESTAMP, None),
        (1.5, Kind.VARCHAR, "1.5"),
        (True, Kind.VARCHAR, "true"),
        ("2026-11-22", Kind.VARCHAR, "2026-11-22"),
    ],
)
def test_a_value_fits_or_is_null(value: object, kind: Kind, fitted: object) -> None:
    """Nothing is bent to fit, except that varchar takes everything."""
    assert fit(value, kind) == fitted


_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.lists(_VALUES), st.sampled_from(Kind))
def test_misfits_are_named(values: list[Any], kind: Kind) -> None:
    """A value is lost exactly when its position is reported."""
    fitted, misfits = fit_all(values, kind)
    lost = {i for i, value in enumerate(values) if value is not None and fitted[i] is None}
    assert set(misfits) == lost


@given(st.lists(_VALUES.filter(lambda value: value not in {float("inf"), float("-inf")})))
def test_nothing_is_lost_in_the_type_that_was_found(values: list[Any]) -> None:
    """The values of a first batch always fit the column that they make."""
    kind = infer_kind(values)
    if kind is not None and all(abs(v) < 10**300 for v in values if isinstance(v, int)):
        assert fit_all(values, kind)[1] == []
