"""Find users that something happened to, page by page.

In: a log offset, a span of time. Out: user ids in order. Visitors known only by an anonymous id are
not users yet and are left out.
"""

from datetime import datetime

from headwater.eventstore import EventStore

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
