"""The measures of a time series, as SQL over calls and, where they allow it, over counters.

In: a measure's name. Out: expressions. Calls are weighted in every one but the distinct counts.
"""

import re
from collections.abc import Mapping

import msgspec

from headwater.analytics.fields import Fields, Need
from headwater.base.errors import InvalidInputError


class Measure(msgspec.Struct, frozen=True):
    """What is shown over time."""

    sql: str
    """Over calls."""
    counted_sql: str = ""
    """Over counters; empty when they cannot tell."""
    needs: frozenset[Need] = frozenset()
    zero_when_silent: bool = True
    """A bucket without calls is 0, else unknown."""


_QUANTILE = re.compile(r"p(50|75|90|95|99)_ms")
_NAMED: Mapping[str, Measure] = {
    "calls": Measure("sum(toUInt64(c.weight))", "sum(c.calls)"),
    "users": Measure("uniqExactIf(c.user_id, c.user_id != '')"),
    "companies": Measure("uniqExactIf(c.company_id, c.company_id != '')"),
    "error_rate": Measure(
        "sumIf(c.weight, c.status >= 400) / sum(c.weight)",
        "sum(c.errors) / sum(c.calls)",
        zero_when_silent=False,
    ),
}


def find_measure(name: str, fields: Fields) -> Measure:
    """Return the measure of that name."""
    if name in _NAMED:
        return _NAMED[name]
    quantile = _QUANTILE.fullmatch(name)
    if quantile:
        level = int(quantile[1]) / 100
        return Measure(
            f"quantileExactWeighted({level})(c.duration_ms, c.weight)", zero_when_silent=False
        )
    kind, colon, field_name = name.partition(":")
    if colon and kind in {"sum", "avg"}:
        return _of_field(kind, field_name, fields)
    raise InvalidInputError(
        f"There is no measure {name!r}.",
        field="$.measure",
        hint=f"Measures: {', '.join(_NAMED)}, p50_ms … p99_ms, sum:FIELD, avg:FIELD.",
    )


def _of_field(kind: str, name: str, fields: Fields) -> Measure:
    field = fields.find(name, "$.measure")
    number = f"toFloat64({field.sql})" if field.kind == "number" else field.number_sql
    if not number:
        raise InvalidInputError(f"{name} is never a number.", field="$.measure")
    if kind == "sum":
        return Measure(f"ifNull(sum({number} * c.weight), 0)", needs=field.needs)
    return Measure(
        f"sum({number} * c.weight) / sumIf(c.weight, isNotNull({number}))",
        needs=field.needs,
        zero_when_silent=False,
    )
