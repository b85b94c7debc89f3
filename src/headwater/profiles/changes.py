"""Find users and companies that something happened to, users page by page.

In: a log offset, a span of time. Out: ids in order. Visitors known only by an anonymous id are
not users yet and are left out.
"""

from collections.abc import Sequence
from datetime import datetime

from headwater.eventstore import MANY_IDS, EventStore, many_ids

# Whoever changed after an offset has a row that says so, since the greatest offset of somebody is
# that of one of the rows. Each branch reads in the order of its table and stops when the page is
# full: neither the memory nor the time of a page depends on how many users come after it.
_TOUCHED = """
SELECT DISTINCT user_id FROM (
    SELECT user_id FROM people_seen
    WHERE app_id = {app_id:String} AND user_id > {above:String} AND last_offset > {after:UInt64}
    ORDER BY user_id LIMIT 1 BY user_id LIMIT {limit:UInt32}
    UNION ALL
    SELECT id AS user_id FROM (
        SELECT id, anonymous FROM profiles
        WHERE app_id = {app_id:String} AND kind = 'user' AND id > {above:String}
            AND version > {after:UInt64}
        ORDER BY id, version DESC LIMIT 1 BY id
    )
    WHERE NOT anonymous
    ORDER BY id LIMIT {limit:UInt32}
    UNION ALL
    SELECT user_id FROM activity
    WHERE {start:Int64} < {end:Int64} AND app_id = {app_id:String} AND user_id > {above:String}
        AND slot >= toDateTime({start:Int64}, 'UTC') AND slot < toDateTime({end:Int64}, 'UTC')
    ORDER BY user_id LIMIT 1 BY user_id LIMIT {limit:UInt32}
)
ORDER BY user_id LIMIT {limit:UInt32}
"""


async def read_touched_users(
    store: EventStore,
    app_id: str,
    *,
    after: int,
    active: tuple[datetime, datetime] | None,
    above: str,
    limit: int,
) -> list[str]:
    """Return the next `limit` ids beyond `above`; see `Profiles.touched_users`."""
    start, end = (int(at.timestamp()) for at in active) if active else (0, 0)
    found = await store.select_arrow(
        _TOUCHED,
        {
            "app_id": app_id,
            "after": after,
            "start": start,
            "end": end,
            "above": above,
            "limit": limit,
        },
    )
    return [str(user_id) for user_id in found.column("user_id").to_pylist()]


# An update that repeats what is known changes nothing: clients send them with every session, and a
# company has many users.
_COMPANIES = """
SELECT DISTINCT id FROM (
    SELECT id, log_offset, value, lagInFrame(value) OVER (
        PARTITION BY id, path ORDER BY time, update_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS before
    FROM profile_changes ARRAY JOIN paths AS path, values AS value
    WHERE app_id = {app_id:String} AND kind = 'company' AND id IN (
        SELECT id FROM profiles
        WHERE app_id = {app_id:String} AND kind = 'company' AND version > {after:UInt64}
    )
)
WHERE log_offset > {after:UInt64} AND value != before
ORDER BY id
"""
_VERSIONS = f"""
SELECT id, max(version) AS version FROM profiles
WHERE app_id = {{app_id:String}} AND kind = 'company' AND id IN {MANY_IDS}
GROUP BY id
"""
# Whoever belonged to the company by a row that is not merged yet comes too: once too often does no
# harm.
_OF_COMPANIES = f"""
SELECT DISTINCT user_id FROM (
    SELECT user_id FROM people_seen
    WHERE app_id = {{app_id:String}} AND user_id > {{above:String}}
        AND last_company_id.value IN {MANY_IDS}
    ORDER BY user_id LIMIT 1 BY user_id LIMIT {{limit:UInt32}}
    UNION ALL
    SELECT id AS user_id FROM profiles
    WHERE app_id = {{app_id:String}} AND kind = 'user' AND id > {{above:String}}
        AND company_id IN {MANY_IDS} AND NOT anonymous
    ORDER BY id LIMIT 1 BY id LIMIT {{limit:UInt32}}
)
ORDER BY user_id LIMIT {{limit:UInt32}}
"""


async def read_changed_companies(store: EventStore, app_id: str, *, after: int) -> list[str]:
    """Return the companies of which something else was said after a log offset."""
    rows = await store.select(_COMPANIES, {"app_id": app_id, "after": after})
    return [row["id"] for row in rows]


async def read_company_offsets(
    store: EventStore, app_id: str, ids: Sequence[str]
) -> dict[str, int]:
    """Return the log offset of the newest update of each company that has one."""
    rows = await store.select(_VERSIONS, {"app_id": app_id, "ids": many_ids(ids)})
    return {row["id"]: row["version"] for row in rows}


async def read_users_of(
    store: EventStore, app_id: str, company_ids: Sequence[str], *, above: str, limit: int
) -> list[str]:
    """Return the next `limit` users of these companies beyond `above`."""
    asked = {"app_id": app_id, "ids": many_ids(company_ids), "above": above, "limit": limit}
    return [row["user_id"] for row in await store.select(_OF_COMPANIES, asked)]
