"""Report: what the Collector API could not understand, and how often for which reason.

In: a range, a kind, a reason, a place, a limit, a cursor. Out: rejected items with reason, place
and masked sample, newest first, and the reasons of the whole range with their counts.
"""

from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics.cursor import NewestFirst
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import RejectsSpec
from headwater.base.errors import InvalidInputError

_MOST_REASONS = 100
_ORDER = NewestFirst("received_at", "reject_id")


class RejectedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that could not be understood; secrets in the sample are masked."""

    reject_id: str
    received_at: datetime
    kind: str
    reason: str
    field: str
    sample: str


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often one thing was wrong."""

    kind: str
    reason: str
    field: str
    count: int
    last_at: datetime


class Rejects(msgspec.Struct, frozen=True, kw_only=True):
    """One page; `next_cursor` is null on the last."""

    items: list[RejectedItem]
    reasons: list[ReasonCount]
    next_cursor: str | None
    meta: Meta


async def list_rejects(asking: Asking, question: Question, spec: RejectsSpec) -> Rejects:
    """Answer `rejects`."""
    if question.has_filters:
        raise InvalidInputError(
            "Filters are about calls.", field="$.filters", hint="Use kind, reason and field."
        )
    reasons = await asking.ask(_reasons_sql(question), question)
    rows = await asking.ask(_page_sql(question, spec), question)
    page, following = _ORDER.cut(rows, spec.limit)
    return Rejects(
        items=msgspec.convert(page, list[RejectedItem]),
        reasons=msgspec.convert(reasons, list[ReasonCount]),
        next_cursor=following,
        meta=await asking.meta(question),
    )


def _range(question: Question) -> str:
    return (
        f"app_id = {question.app} AND received_at >= {question.start}"
        f" AND received_at < {question.end}"
    )


def _reasons_sql(question: Question) -> str:
    return (
        "SELECT kind, reason, field, count() AS count, max(received_at) AS last_at FROM rejects"
        f" WHERE {_range(question)} GROUP BY kind, reason, field"
        f" ORDER BY count DESC, kind, reason, field LIMIT {_MOST_REASONS}"
    )


def _page_sql(question: Question, spec: RejectsSpec) -> str:
    conditions = [_range(question)]
    wanted: dict[str, Any] = {"kind": spec.kind, "reason": spec.reason, "field": spec.field}
    conditions += [
        f"{name} = {question.bound.put(value, 'String')}" for name, value in wanted.items() if value
    ]
    conditions.append(_ORDER.behind(spec.cursor, question.bound))
    return (
        "SELECT reject_id, received_at, kind, reason, field, sample FROM rejects"
        f" WHERE {' AND '.join(conditions)}"
        f"{_ORDER.order(spec.limit)}"
    )
