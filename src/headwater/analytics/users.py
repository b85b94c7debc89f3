"""Report: users, with what is known of them and what they did in the range.

In: a search, an order, a range, filters. Out: users and the next cursor; see `known`.
"""

from datetime import datetime

import msgspec

from headwater.analytics.known import Kind, list_known
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import UsersSpec

_USERS = Kind(
    kind="user",
    id="user_id",
    seen="people_seen",
    columns="if(p.said_company != '', p.said_company, s.seen_company) AS company_id",
    seen_columns=", max(s.last_company_id).value AS seen_company",
)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One user."""

    user_id: str
    name: str
    email: str
    company_id: str
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    calls: int
    """Weighted, in the range."""
    errors: int


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """One page."""

    users: list[User]
    next_cursor: str | None
    meta: Meta


async def list_users(asking: Asking, question: Question, spec: UsersSpec) -> Users:
    """Answer `users`."""
    rows, following = await list_known(asking, question, spec, _USERS)
    return Users(
        users=msgspec.convert(rows, list[User]),
        next_cursor=following,
        meta=await asking.meta(question),
    )
