"""Find users that something happened to, page by page.

In: a log offset, a span of time. Out: user ids in order. Visitors known only by an anonymous id are
not users yet and are left out.
"""

from datetime import datetime

from headwater.eventstore import EventStore

_TOUCHED = """
SELECT user_id FROM (
    SELECT user_id FROM people_seen
    WHERE app_id = {app_id:String} AND user_id > {above:String}
    GROUP BY user_id HAVING max(last_offset) > {after:UInt64}
    UNION DISTINCT
    SELECT id AS user_id FROM profiles
    WHERE app_id = {app_id:String} AND kind = 'user' AND id > {above:String}
    GROUP BY id HAVING max(version) > {after:UInt64} AND NOT argMax(anonymous, version)
    UNION DISTINCT
    SELECT user_id FROM activity
    WHERE app_id = {app_id:String} AND user_id > {above:String}
        AND slot >= toDateTime({start:Int64}, 'UTC') AND slot < toDateTime({end:Int64}, 'UTC')
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
    rows = await store.select(
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
    return [row["user_id"] for row in rows]
