"""Report: a measure over time, by up to three fields.

In: measure, interval, groups. Out: buckets of the app's calendar and one series a group, the
largest first and the rest as `other`. Plain counts come from the quarter-hour counters when the
range begins and ends on a quarter of an hour, and from the calls otherwise: the same numbers, a
test says.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics.fields import Table, find_field, status_class
from headwater.analytics.measures import Measure, find_measure
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import MOST_GROUPS, TimeseriesSpec
from headwater.analytics.time_range import cut_buckets
from headwater.base.errors import InvalidInputError

OTHER = "other"
_QUARTER_S = 900
_MOST_VALUES = 500_000
_COUNTER_COLUMNS: Mapping[str, str] = {
    "request.verb": "k.verb",
    "request.route": "k.route",
    "response.status": "toString(k.status)",
    "response.status_class": status_class("k"),
    "client.name": "k.client_name",
}


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
    where: str
    time: str
    keys: tuple[str, ...]
    value: str


async def draw_timeseries(asking: Asking, question: Question, spec: TimeseriesSpec) -> Timeseries:
    """Answer a `timeseries`."""
    if len(spec.group_by) > MOST_GROUPS:
        raise InvalidInputError(f"At most {MOST_GROUPS} fields.", field="$.group_by")
    measure = find_measure(spec.measure, question.bound)
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
    edges = [question.span.start, question.span.end, *starts]
    if (
        measure.counters_sql
        and not question.has_filters
        and all(name in _COUNTER_COLUMNS for name in spec.group_by)
        and all(at.timestamp() % _QUARTER_S == 0 for at in edges)
    ):
        q = question
        where = f"k.app_id = {q.app} AND k.slot >= {q.start} AND k.slot < {q.end}"
        keys = tuple(_COUNTER_COLUMNS[name] for name in spec.group_by)
        return _Plan("counters AS k", where, "k.slot", keys, measure.counters_sql)
    fields = [
        find_field(name, question.bound, f"$.group_by[{n}]") for n, name in enumerate(spec.group_by)
    ]
    needs = frozenset[Table](measure.needs).union(*(field.needs for field in fields))
    keys = tuple(f"toString({field.sql})" for field in fields)
    return _Plan(question.calls(needs), question.where, "c.time", keys, measure.sql)


async def _find_top(asking: Asking, question: Question, plan: _Plan, count: int) -> list[list[str]]:
    """Return the keys of the largest groups."""
    keys = f"[{', '.join(plan.keys)}]"
    sql = (
        f"SELECT {keys} AS series_key, {plan.value} AS series_value FROM {plan.source}"
        f" WHERE {plan.where} GROUP BY series_key"
        f" ORDER BY series_value DESC, series_key LIMIT {int(count)}"
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
    bucket = f"roundDown(toUInt32(toUnixTimestamp({plan.time})), {edges})"
    # The second grouping set gives each group's measure over the whole range.
    return (
        f"SELECT {key} AS series_key, {bucket} AS bucket, {plan.value} AS series_value,"
        f" grouping(bucket) AS is_total FROM {plan.source} WHERE {plan.where}"
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
