"""Decide the type of a column, and fit values into it.

In: the JSON values of one column of one batch, and the type that the column has already, if any.
Out: one of five types, the values as that type, and which of them did not fit. Pure.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

_ISO_TIME = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_LEAST_INTEGER, _MOST_INTEGER = -(2**63), 2**63 - 1


class Kind(StrEnum):
    """The five types of a warehouse column."""

    TIMESTAMP = "timestamp"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    VARCHAR = "varchar"


_NUMBERS = {Kind.INTEGER, Kind.FLOAT}
_AS_THEY_ARE: Mapping[Kind, set[type]] = {
    Kind.TIMESTAMP: {datetime},
    Kind.INTEGER: set(),
    Kind.FLOAT: set(),
    Kind.BOOLEAN: {bool},
    Kind.VARCHAR: {str},
}
"""Python types of which every value fits, so that nobody needs to look at each."""


@lru_cache(maxsize=65_536)  # a column is read once to find its type and once to convert it
def read_time(text: str) -> datetime | None:
    """Read a full ISO 8601 date or date-time, UTC unless it says otherwise; else None."""
    if not _ISO_TIME.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the 31st of February; the year 0 in another zone
        return None


def infer_kind(values: Sequence[Any]) -> Kind | None:
    """Return the narrowest type that holds all values; None when all are null."""
    kinds = {_kind_of(python_type, values) for python_type in _types_in(values)}
    if not kinds:
        return None
    if len(kinds) == 1:
        return kinds.pop()
    return Kind.FLOAT if kinds == _NUMBERS else Kind.VARCHAR


def widen_kind(existing: Kind | None, values: Sequence[Any]) -> Kind | None:
    """Return the type that a column must have now: only integer ever becomes something else."""
    if existing is None:
        return infer_kind(values)
    if existing is not Kind.INTEGER:
        return existing
    numbers = [value for value in values if type(value) in {int, float}]
    return infer_kind(numbers) or existing


def fit(value: Any, kind: Kind) -> Any:
    """Return `value` as `kind`, or None when it does not fit."""
    match kind:
        case Kind.VARCHAR:
            return to_text(value)
        case Kind.TIMESTAMP:
            return _as_time(value)
        case Kind.BOOLEAN:
            return value if isinstance(value, bool) else None
        case Kind.INTEGER:
            return value if type(value) is int and _is_bigint(value) else None
        case Kind.FLOAT:
            return _as_float(value)


def fit_all(values: Sequence[Any], kind: Kind) -> tuple[list[Any], list[int]]:
    """Return the values as `kind`, and the positions of those that became null."""
    if _types_in(values) <= _AS_THEY_ARE[kind]:
        return list(values), []
    fitted = [None if value is None else fit(value, kind) for value in values]
    misfits = [
        index
        for index, (before, after) in enumerate(zip(values, fitted, strict=True))
        if after is None and before is not None
    ]
    return fitted, misfits


def to_text(value: Any) -> str:
    """Write any value as a varchar column keeps it: JSON, without quotes around text."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')


def _types_in(values: Sequence[Any]) -> set[type]:
    return set(map(type, values)) - {type(None)}


def _kind_of(python_type: type, values: Sequence[Any]) -> Kind:
    if python_type is bool:
        return Kind.BOOLEAN
    if python_type is datetime:
        return Kind.TIMESTAMP
    if python_type is float:
        return Kind.FLOAT
    if python_type is int:
        fits = all(_is_bigint(value) for value in values if type(value) is int)
        return Kind.INTEGER if fits else Kind.FLOAT
    is_time = all(read_time(value) for value in values if isinstance(value, str))
    return Kind.TIMESTAMP if is_time else Kind.VARCHAR


def _is_bigint(number: int) -> bool:
    return _LEAST_INTEGER <= number <= _MOST_INTEGER


def _as_time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return read_time(value) if isinstance(value, str) else None


def _as_float(value: Any) -> float | None:
    if type(value) not in {int, float}:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
