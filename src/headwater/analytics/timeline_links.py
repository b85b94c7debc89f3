"""Tell which links were learned and ruled upon, as a part of a timeline.

In: a user or a company. Out: of a user: the browsers, session keys and companies with their first
evidence, and what people ruled; of a company: the users who were first seen with it. As far as the
range of the question goes.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from headwater.analytics.cursor import NewestFirst
from headwater.analytics.meta import Asking
from headwater.analytics.question import Question
from headwater.analytics.spec import TimelineSpec
from headwater.model import Verdict
from headwater.profiles import (
    CompanyLink,
    UserLink,
    joined_sql,
    read_company_history,
    read_user_links,
)

_MOST_KEYS = 1_000


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Two that belong together from this moment on, as far as is known."""

    kind: Literal["session", "anonymous", "company"]
    key: str
    """A keyed fingerprint of a session token, a browser, a company; empty: no company any more."""
    user_id: str
    verdict: Verdict | Literal[""] = ""
    """What somebody ruled; empty: evidence."""
    said_by: str = ""
    """The call, action or update that told it first; or who ruled."""
    reason: str = ""


Moment = tuple[datetime, str, Link]
"""When, an id that tells it from others of that moment, and what."""


async def links_of_user(
    asking: Asking, question: Question, _spec: TimelineSpec, user_id: str
) -> list[Moment]:
    """Return what joined, and parted, the user and keys, and the companies of the user."""
    store, app_id, span = asking.store, question.app_id, question.span
    links = await read_user_links(store, app_id, user_id, limit=_MOST_KEYS)
    companies = await read_company_history(store, app_id, [user_id])
    told = [
        *(moment for link in links for moment in _of_key(user_id, link)),
        *(_of_company(user_id, link) for link in companies.get(user_id, [])),
    ]
    return [moment for moment in told if span.start <= moment[0] < span.end]


async def links_of_company(
    asking: Asking, question: Question, spec: TimelineSpec, company_id: str
) -> list[Moment]:
    """Return who was first seen with the company, and when; one page, newest first."""
    company = question.bound.put(company_id, "String")
    newest_first = NewestFirst("since", "id")
    sql = (
        joined_sql(question.app, company, question.start, question.end)
        + f" AND {newest_first.behind(spec.cursor, question.bound)}"
        + newest_first.order(spec.limit)
    )
    return [
        _of_company(row["user_id"], CompanyLink(company_id=company_id, since=row["since"]))
        for row in await asking.ask(sql, question)
    ]


def _of_key(user_id: str, link: UserLink) -> Iterator[Moment]:
    seen = Link(kind=link.kind, key=link.key, user_id=user_id, said_by=link.said_by)
    if link.first_at is not None:
        yield link.first_at, f"link {link.kind} {link.key}", seen
    for one in link.rulings:
        facts = {"verdict": one.verdict, "said_by": one.said_by, "reason": one.reason}
        yield one.said_at, f"link {one.ruling_id}", msgspec.structs.replace(seen, **facts)


def _of_company(user_id: str, link: CompanyLink) -> Moment:
    told = Link(kind="company", key=link.company_id, user_id=user_id)
    return link.since, f"link company {link.company_id} {user_id}", told
