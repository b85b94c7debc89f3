"""Report: subscriptions, as billing systems last described them, the last change first.

In: a company, a status, a range, a limit, a cursor. Out: subscriptions and the next cursor. Filters
are about calls and mean nothing here.
"""

from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics.cursor import NewestFirst
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import SubscriptionsSpec
from headwater.base.errors import InvalidInputError

_ORDER = NewestFirst("modified_at", "id")


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one subscription."""

    subscription_id: str
    company_id: str
    status: str
    created_at: datetime
    modified_at: datetime
    doc: dict[str, Any]
    """All that was said: periods, items, metadata, and what has no name here."""


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """One page; `next_cursor` is null on the last."""

    subscriptions: list[Subscription]
    next_cursor: str | None
    meta: Meta


async def list_subscriptions(
    asking: Asking, question: Question, spec: SubscriptionsSpec
) -> Subscriptions:
    """Answer `subscriptions`."""
    if question.has_filters:
        raise InvalidInputError(
            "Filters are about calls.", field="$.filters", hint="Use company_id and status."
        )
    rows = await asking.ask(_sql(question, spec), question)
    page, following = _ORDER.cut(rows, spec.limit)
    return Subscriptions(
        subscriptions=[_to_subscription(row) for row in page],
        next_cursor=following,
        meta=await asking.meta(question),
    )


def _sql(question: Question, spec: SubscriptionsSpec) -> str:
    conditions = [
        f"app_id = {question.app}",
        "kind = 'subscription'",
        f"modified_at >= {question.start}",
        f"modified_at < {question.end}",
    ]
    if spec.company_id:
        conditions.append(f"company_id = {question.bound.put(spec.company_id, 'String')}")
    if spec.status:
        conditions.append(f"status = {question.bound.put(spec.status, 'String')}")
    conditions.append(_ORDER.behind(spec.cursor, question.bound))
    return (
        "SELECT id, company_id, JSONExtractString(doc, 'status') AS status, created_at,"
        f" modified_at, doc FROM profiles FINAL WHERE {' AND '.join(conditions)}"
        f"{_ORDER.order(spec.limit)}"
    )


def _to_subscription(row: dict[str, Any]) -> Subscription:
    return Subscription(
        subscription_id=row["id"],
        company_id=row["company_id"],
        status=row["status"],
        created_at=row["created_at"],
        modified_at=row["modified_at"],
        doc=msgspec.json.decode(row["doc"]),
    )
