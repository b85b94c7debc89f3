"""Turn the values of one column into an Arrow array, quickly where they are all alike.

In: values as JSON gave them, and the type the column has or must have. Out: the type it gets, the
array, and the places of values that fit nowhere. Pure. Where all values are of one kind Arrow does
the work; where they are mixed, `types.py` decides value by value, and its answer is the law: the
quick way must give the same.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headwater.warehouse.types import Kind, fit_all, infer_kind, widen_kind

ARROW = {
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.VARCHAR: pa.string(),
}
_WITH_ZONE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$"
_LOOKS_ZONED = re.compile(_WITH_ZONE, re.ASCII)
_LOOKS_LIKE_TIME = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NATURAL = {
    pa.int64(): Kind.INTEGER,
    pa.float64(): Kind.FLOAT,
    pa.bool_(): Kind.BOOLEAN,
    pa.timestamp("us", "UTC"): Kind.TIMESTAMP,
}
_NUMBERS = {int, float}
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


class Fitted(msgspec.Struct, frozen=True):
    """One column of one load."""

    kind: Kind
    array: Any
    misfits: list[int]
    """Places of values that became null."""


def fit_column(
    values: Sequence[Any],
    existing: Kind | None,
    declared: Kind | None = None,
    earliest: datetime = _FIRST,
    latest: datetime = _LAST,
) -> Fitted | None:
    """Type a column; None when all its values are null."""
    wanted = existing or declared
    quick = _fit_alike(values, wanted, earliest, latest)
    if quick is not None:
        return quick
    kind = widen_kind(wanted, values) if wanted else infer_kind(values)
    if kind is None:
        return None
    fitted, misfits = fit_all(values, kind)
    if kind is Kind.TIMESTAMP:
        outside = [n for n, at in enumerate(fitted) if at and not earliest <= at <= latest]
        for n in outside:
            fitted[n] = None
        misfits = sorted({*misfits, *outside})
    return Fitted(kind, pa.array(fitted, ARROW[kind]), misfits)


def _fit_alike(
    values: Sequence[Any], wanted: Kind | None, earliest: datetime, latest: datetime
) -> Fitted | None:
    """Return the column when Arrow can make it in one go; None when it cannot."""
    if len(types := set(map(type, values)) - {type(None)}) > 1 and types != _NUMBERS:
        return None  # Arrow takes False among floats for 0.0
    try:
        array = pa.array(values)
        if pa.types.is_string(array.type):
            found = _fit_texts(array, wanted)
        else:
            found = _fit_others(array, wanted)
    except (pa.ArrowException, OverflowError):
        return None
    if found is not None and found.kind is Kind.TIMESTAMP:
        reach = pc.min_max(found.array.cast(pa.int64())).as_py()
        if reach["min"] < _micros(earliest) or reach["max"] > _micros(latest):
            return None
    return found


def _fit_texts(array: Any, wanted: Kind | None) -> Fitted | None:
    if wanted is Kind.VARCHAR:
        return Fitted(Kind.VARCHAR, array, [])
    if wanted not in {None, Kind.TIMESTAMP}:
        return None
    some = array.drop_null()[0].as_py()
    if wanted is None and not _LOOKS_LIKE_TIME.match(some):
        return Fitted(Kind.VARCHAR, array, [])
    if (
        not _LOOKS_ZONED.match(some)
        or not pc.all(pc.match_substring_regex(array, _WITH_ZONE)).as_py()
    ):
        return None
    return Fitted(Kind.TIMESTAMP, array.cast(ARROW[Kind.TIMESTAMP]), [])


def _fit_others(array: Any, wanted: Kind | None) -> Fitted | None:
    kind = _NATURAL.get(array.type)
    if kind is None:
        return None
    if wanted in {None, kind}:
        return Fitted(kind, array, [])
    if {wanted, kind} == {Kind.INTEGER, Kind.FLOAT}:  # also the wider of the two
        return Fitted(Kind.FLOAT, array.cast(pa.float64(), safe=False), [])
    return None


def _micros(at: datetime) -> int:
    whole = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * 1_000_000 + whole.microseconds
