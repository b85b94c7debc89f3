"""Report: a measure over time, by up to three fields.

In: measure, interval, groups. Out: buckets of the app's calendar and one series a group, the
largest first and the rest as `other`. Counts come from the counters of whole quarters of an hour
where those can tell, and from the calls otherwise: the same numbers, a test says.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics.fields import Need
from headwater.analytics.measures import Measure, find_measure
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import QUARTER, Question
from headwater.analytics.spec import MOST_GROUPS, TimeseriesSpec
from headwater.analytics.time_range import cut_buckets
from headwater.base.errors import InvalidInputError

OTHER = "other"
_QUARTER_S = QUARTER.total_seconds()
_MOST_VALUES = 500_000


class Series(msgspec.Struct, frozen=True):
    """One group."""

    key: list[str]
    values: list[float | None]
    total: float | None
    """The measure over the whole range: for rates and distinct counts no sum of the values."""


class Timeseries(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    interval: str
    buckets: list[str]
    series: list[Series]
    meta: Meta


class _Plan(msgspec.Struct, frozen=True):
    source: str
    """FROM and WHERE; the rows are `c`."""
    keys: tuple[str, ...]
    value: str


async def draw_timeseries(asking: Asking, question: Question, spec: TimeseriesSpec) -> Timeseries:
    """Answer a `timeseries`."""
    if len(spec.group_by) > MOST_GROUPS:
        raise InvalidInputError(f"At most {MOST_GROUPS} fields.", field="$.group_by")
    measure = find_measure(spec.measure, question.names)
    starts = cut_buckets(question.span, spec.interval, question.zone)
    if spec.group_by and len(starts) * spec.top > _MOST_VALUES:
        raise InvalidInputError(
            f"That is more than {_MOST_VALUES} values.",
            field="$.top",
            hint="Choose a longer interval, a shorter range or fewer groups.",
        )
    plan = _plan(question, spec, measure, starts)
    top = await _find_top(asking, question, plan, spec.top) if plan.keys else [[]]
    rows = await asking.ask(_series_sql(question, plan, top, starts), question)
    return Timeseries(
        interval=spec.interval,
        buckets=[f"{start:%Y-%m-%dT%H:%M:%SZ}" for start in starts],
        series=_to_series(rows, top, starts, measure),
        meta=await asking.meta(question),
    )


def _plan(
    question: Question, spec: TimeseriesSpec, measure: Measure, starts: Sequence[datetime]
) -> _Plan:
    fields = [question.names.find(name, f"$.group_by[{n}]") for n, name in enumerate(spec.group_by)]
    keys = tuple(f"toString({field.sql})" for field in fields)
    if measure.counted_sql and all(start.timestamp() % _QUARTER_S == 0 for start in starts):
        counted = question.counted(spec.group_by)
        if counted:
            return _Plan(counted, keys, measure.counted_sql)
    needs = frozenset[Need](measure.needs).union(*(field.needs for field in fields))
    return _Plan(f"{question.calls(needs)} WHERE {question.where}", keys, measure.sql)


async def _find_top(asking: Asking, question: Question, plan: _Plan, count: int) -> list[list[str]]:
    """Return the keys of the largest groups."""
    keys = f"[{', '.join(plan.keys)}]"
    sql = (
        f"SELECT {keys} AS series_key, {plan.value} AS series_value FROM {plan.source}"
        f" GROUP BY series_key ORDER BY series_value DESC, series_key LIMIT {int(count)}"
    )
    return [row["series_key"] for row in await asking.ask(sql, question)]


def _series_sql(
    question: Question, plan: _Plan, top: list[list[str]], starts: Sequence[datetime]
) -> str:
    edges = question.bound.put([int(start.timestamp()) for start in starts], "Array(UInt32)")
    key = "emptyArrayString()"
    if plan.keys:
        keys = f"[{', '.join(plan.keys)}]"
        wanted = question.bound.put(top, "Array(Array(String))")
        others = question.bound.put([OTHER] * len(plan.keys), "Array(String)")
        key = f"if(has({wanted}, {keys}), {keys}, {others})"
    bucket = f"roundDown(toUInt32(toUnixTimestamp(c.time)), {edges})"
    # The second grouping set gives each group's measure over the whole range.
    return (
        f"SELECT {key} AS series_key, {bucket} AS bucket, {plan.value} AS series_value,"
        f" grouping(bucket) AS is_total FROM {plan.source}"
        " GROUP BY GROUPING SETS ((series_key, bucket), (series_key))"
    )


def _to_series(
    rows: Sequence[dict[str, Any]],
    top: list[list[str]],
    starts: Sequence[datetime],
    measure: Measure,
) -> list[Series]:
    index = {int(start.timestamp()): n for n, start in enumerate(starts)}
    silence: float | None = 0 if measure.zero_when_silent else None
    values: dict[tuple[str, ...], list[float | None]] = {}
    totals: dict[tuple[str, ...], float | None] = {}
    for row in rows:
        key = tuple(row["series_key"] or ())
        if row["is_total"]:
            totals[key] = row["series_value"]
            continue
        line = values.setdefault(key, [silence] * len(starts))
        line[index[row["bucket"]]] = row["series_value"]
    ranks = {tuple(key): n for n, key in enumerate(top)}
    if () in ranks and not values:
        return [Series([], [silence] * len(starts), silence)]
    ordered = sorted(values, key=lambda key: ranks.get(key, len(ranks)))
    return [Series(list(key), values[key], totals.get(key)) for key in ordered]
