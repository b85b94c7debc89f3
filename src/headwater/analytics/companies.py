"""Report: companies, with what is known of them and what their people did in the range.

In: a search, an order, a range, filters. Out: companies and the next cursor; see `known`.
"""

from datetime import datetime

import msgspec

from headwater.analytics.known import Kind, list_known
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import CompaniesSpec

_COMPANIES = Kind(
    kind="company",
    id="company_id",
    seen="companies_seen",
    columns="ifNull(d.users, 0) AS users",
    counts=", uniqExactIf(c.user_id, c.user_id != '') AS users",
)


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """One company."""

    company_id: str
    name: str
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    users: int
    """Who called in the range."""
    calls: int
    """Weighted, in the range."""
    errors: int


class Companies(msgspec.Struct, frozen=True, kw_only=True):
    """One page."""

    companies: list[Company]
    next_cursor: str | None
    meta: Meta


async def list_companies(asking: Asking, question: Question, spec: CompaniesSpec) -> Companies:
    """Answer `companies`."""
    rows, following = await list_known(asking, question, spec, _COMPANIES)
    return Companies(
        companies=msgspec.convert(rows, list[Company]),
        next_cursor=following,
        meta=await asking.meta(question),
    )
