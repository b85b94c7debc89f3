"""Tell which company a user belongs to, and from when.

In: users. Out: when each joined the company, and the history of one. From links, by the same rule
that gives calls their company.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from headwater.eventstore import MANY_IDS, EventStore, many_ids
from headwater.profiles.identity.links import Key
from headwater.profiles.identity.shelf import read_seen

_COMPANIES = f"""
SELECT user_id, toString(company_id) AS company_id, min(first_at) AS first_at
FROM companies_of_users
WHERE app_id = {{app_id:String}} AND user_id IN {MANY_IDS}
GROUP BY user_id, company_id
"""


def joined_sql(app: str, company: str, start: str, end: str) -> str:
    """Return the query for who was first seen with a company within a time; bound names."""
    return (
        f"SELECT user_id, min(first_at) AS since, concat('link company ', {company}, ' ', user_id)"
        " AS id FROM companies_of_users"
        f" WHERE app_id = {app} AND company_id = {company} GROUP BY user_id"
        f" HAVING since >= {start} AND since < {end}"
    )


class CompanyLink(msgspec.Struct, frozen=True, kw_only=True):
    """A user belongs to a company from a moment on; empty: to none that is known."""

    company_id: str
    since: datetime


async def read_company_since(
    store: EventStore, app_id: str, ids: Sequence[str]
) -> dict[tuple[str, str], datetime]:
    """Return since when each user belongs to each company that the user was last seen with."""
    rows = await store.select(_COMPANIES, {"app_id": app_id, "ids": many_ids(ids)})
    several = {user for user, n in Counter(row["user_id"] for row in rows).items() if n > 1}
    found = {
        (row["user_id"], row["company_id"]): row["first_at"]
        for row in rows
        if row["user_id"] not in several
    }
    for user, history in (await read_company_history(store, app_id, sorted(several))).items():
        found |= {(user, link.company_id): link.since for link in history}
    return found


async def read_company_history(
    store: EventStore, app_id: str, ids: Sequence[str]
) -> dict[str, list[CompanyLink]]:
    """Return the companies of each user, one after the other, oldest first."""
    keys: list[Key] = [(app_id, "user", user) for user in ids]
    seen = await read_seen(store, keys) if keys else {}
    found: dict[str, list[CompanyLink]] = {}
    for (_, _, user), evidence in seen.items():
        known = evidence.learn("user")
        found[user] = [
            CompanyLink(company_id=name, since=start)
            for name, start in zip(known.names, known.starts, strict=True)
        ]
    return found
