"""Ask the store for what is known of people, companies and subscriptions: rows by their ids.

In: ids. Out: rows of what was said, of what calls showed, of keys; as the engine has them. What
they mean together is the matter of `reading`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec

from headwater.eventstore import MANY_IDS, EventStore, as_time, many_ids

PROFILES = f"""
SELECT
    id, doc, company_id, version,
    if(own OR doc != '{{}}', {as_time("created_at")}, NULL) AS created_at,
    if(own OR doc != '{{}}', {as_time("modified_at")}, NULL) AS modified_at
FROM profiles FINAL
WHERE app_id = {{app_id:String}} AND kind = {{kind:String}} AND id IN {MANY_IDS}
"""
PEOPLE_SEEN = f"""
SELECT
    s.user_id AS id,
    {as_time("min(s.first_seen_at)")} AS first_seen_at,
    {as_time("max(s.last_seen_at)")} AS last_seen_at,
    {as_time("min(s.first_success_at)")} AS first_success_at,
    max(s.last_ip).value AS last_ip,
    max(s.last_user_agent).value AS last_user_agent,
    max(s.last_company_id).value AS company_id,
    max(s.last_offset) AS version
FROM people_seen AS s
WHERE s.app_id = {{app_id:String}} AND s.user_id IN {MANY_IDS}
GROUP BY s.user_id
"""
COMPANIES_SEEN = f"""
SELECT
    s.company_id AS id,
    {as_time("min(s.first_seen_at)")} AS first_seen_at,
    {as_time("max(s.last_seen_at)")} AS last_seen_at,
    {as_time("min(s.first_success_at)")} AS first_success_at,
    max(s.last_ip).value AS last_ip,
    max(s.last_offset) AS version
FROM companies_seen AS s
WHERE s.app_id = {{app_id:String}} AND s.company_id IN {MANY_IDS}
GROUP BY s.company_id
"""
_MOST_KEYS = 100
KEYS = f"""
SELECT
    user_id AS id,
    arraySlice(arraySort(groupUniqArrayIf(key, kind = 'anonymous')), 1, {_MOST_KEYS})
        AS anonymous_ids,
    arraySlice(arraySort(groupUniqArrayIf(key, kind = 'session')), 1, {_MOST_KEYS}) AS session_keys
FROM keys_of_users
WHERE app_id = {{app_id:String}} AND user_id IN {MANY_IDS}
    AND (kind, key, user_id) NOT IN (
        SELECT kind, key, value FROM link_rulings
        WHERE app_id = {{app_id:String}} AND value IN {MANY_IDS}
        GROUP BY kind, key, value HAVING argMax(verdict, (said_at, ruling_id)) = 'apart'
    )
GROUP BY user_id
"""
SEEN_UNTIL = """
SELECT
    who AS id, {first_at} AS first_seen_at, {last_at} AS last_seen_at,
    {success_at} AS first_success_at,
    argMaxIf(ip_address, (time, ref), ip_address != '') AS last_ip,
    argMaxIf(company, (time, ref), company != '') AS company_id,
    max(log_offset) AS version
FROM (
    SELECT toString({who}) AS who, time, call_id AS ref, ip_address,
        toString(company_id) AS company, status, toString(verb) AS verb, toString(route) AS route,
        log_offset
    FROM calls WHERE app_id = {{app_id:String}} AND {who} IN {many_ids}
    UNION ALL
    SELECT toString({who}), time, action_id, ip_address, toString(company_id), 0, '', '', log_offset
    FROM actions WHERE app_id = {{app_id:String}} AND {who} IN {many_ids}
)
WHERE time <= fromUnixTimestamp64Micro({{at:Int64}}, 'UTC')
GROUP BY who
"""


class Said(msgspec.Struct, frozen=True, gc=False):
    """A row of `profiles`."""

    id: str = ""
    doc: str = "{}"
    company_id: str = ""
    version: int = 0
    created_at: datetime | None = None
    """None: all that is shown was taken back."""
    modified_at: datetime | None = None


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What calls showed."""

    id: str = ""
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    first_success_at: datetime | None = None
    last_ip: str = ""
    last_user_agent: str = ""
    company_id: str = ""
    version: int = 0


class Keys(msgspec.Struct, frozen=True, gc=False):
    """The keys that a user came with."""

    id: str = ""
    anonymous_ids: tuple[str, ...] = ()
    session_keys: tuple[str, ...] = ()


class _Row(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_Row)
Asked = Mapping[str, Any]


async def read_rows(store: EventStore, type_: type[R], sql: str, asked: Asked) -> dict[str, R]:
    """Return the rows of those of the asked ids that have one, by id."""
    bound = {**asked, "ids": many_ids(asked["ids"])}
    return {row.id: row for row in await store.select_as(type_, sql, bound)}
