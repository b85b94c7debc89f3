"""Report: users, with what is known of them and what they did in the range.

In: a search, an order, a range, filters. Out: users and the next cursor. With filters only users
with such calls are listed; without, all that were ever seen or described.
"""

from datetime import datetime
from typing import Any

import msgspec

from headwater.analytics.cursor import read_cursor, write_cursor
from headwater.analytics.meta import Asking, Meta
from headwater.analytics.question import Question
from headwater.analytics.spec import UsersSpec

_EPOCH = "toDateTime64(0, 6, 'UTC')"


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


class _Place(msgspec.Struct, frozen=True, array_like=True):
    rank: str
    user_id: str


async def list_users(asking: Asking, question: Question, spec: UsersSpec) -> Users:
    """Answer `users`."""
    rows = await asking.ask(_sql(question, spec), question)
    page = rows[: spec.limit]
    following = None
    if len(rows) > spec.limit:
        following = write_cursor(_Place(page[-1]["rank"], page[-1]["user_id"]))
    return Users(
        users=[_to_user(row) for row in page],
        next_cursor=following,
        meta=await asking.meta(question),
    )


def _sql(question: Question, spec: UsersSpec) -> str:
    order = spec.order_by.removeprefix("-")
    descending = spec.order_by.startswith("-")
    # One text to order by, whatever the column: digits of fixed width sort like numbers.
    rank = {
        "calls": "leftPad(toString(calls), 20, '0')",
        "user_id": "user_id",
    }.get(order, f"leftPad(toString(toUnixTimestamp64Micro({order})), 20, '0')")
    conditions = ["1"]
    if spec.search:
        needle = question.bound.put(spec.search, "String")
        conditions.append(
            f"positionCaseInsensitiveUTF8(concat(user_id, '\\n', name, '\\n', email), {needle}) > 0"
        )
    if question.has_filters:
        conditions.append("calls > 0")
    if spec.cursor:
        place = read_cursor(spec.cursor, _Place)
        at = question.bound.put(place.rank, "String")
        last = question.bound.put(place.user_id, "String")
        sign = "<" if descending else ">"
        conditions.append(f"(rank {sign} {at} OR (rank = {at} AND user_id > {last}))")
    return (
        f"SELECT *, {rank} AS rank FROM ({_known(question)}) WHERE {' AND '.join(conditions)}"
        f" ORDER BY rank {'DESC' if descending else 'ASC'}, user_id LIMIT {int(spec.limit) + 1}"
    )


def _known(question: Question) -> str:
    """Return the query for every known user with the numbers of the range."""
    q = question
    seen = (
        "SELECT s.user_id AS id, min(s.first_seen_at) AS first_seen,"
        " max(s.last_seen_at) AS last_seen, max(s.last_company_id).value AS seen_company"
        f" FROM people_seen AS s WHERE s.app_id = {q.app} GROUP BY s.user_id"
    )
    said = (
        "SELECT id, name, email, company_id AS said_company FROM profiles FINAL"
        f" WHERE app_id = {q.app} AND kind = 'user' AND NOT anonymous AND (own OR doc != '{{}}')"
    )
    did = (
        "SELECT c.user_id AS id, sum(toUInt64(c.weight)) AS calls,"
        " sumIf(toUInt64(c.weight), c.status >= 400) AS errors"
        f" FROM {q.calls()} WHERE {q.where} AND c.user_id != '' GROUP BY c.user_id"
    )
    return (
        "SELECT if(s.id != '', s.id, p.id) AS user_id,"
        " p.name AS name, p.email AS email,"
        " if(p.said_company != '', p.said_company, s.seen_company) AS company_id,"
        f" ifNull(s.first_seen, {_EPOCH}) AS first_seen_at,"
        f" ifNull(s.last_seen, {_EPOCH}) AS last_seen_at,"
        " ifNull(d.calls, 0) AS calls, ifNull(d.errors, 0) AS errors"
        f" FROM ({seen}) AS s FULL OUTER JOIN ({said}) AS p ON s.id = p.id"
        f" LEFT JOIN ({did}) AS d ON d.id = if(s.id != '', s.id, p.id)"
    )


def _to_user(row: dict[str, Any]) -> User:
    seen = row["first_seen_at"].timestamp() > 0
    return User(
        user_id=row["user_id"],
        name=row["name"],
        email=row["email"],
        company_id=row["company_id"],
        first_seen_at=row["first_seen_at"] if seen else None,
        last_seen_at=row["last_seen_at"] if seen else None,
        calls=row["calls"],
        errors=row["errors"],
    )
