"""Tell who used a route lately.

In: a route as reports show it, users, a span of time. Out: each one's last call of it.
"""

from collections.abc import Sequence
from datetime import datetime

from headwater.eventstore import MANY_IDS, EventStore, many_ids
from headwater.profiles.history import to_us

_LAST = f"""
SELECT user_id, max(time) AS last_at FROM calls
WHERE app_id = {{app_id:String}} AND route = {{route:String}} AND user_id IN {MANY_IDS}
    AND time >= fromUnixTimestamp64Micro({{start:Int64}}, 'UTC')
    AND time <= fromUnixTimestamp64Micro({{end:Int64}}, 'UTC')
GROUP BY user_id
"""


async def read_last_used(
    store: EventStore,
    app_id: str,
    route: str,
    ids: Sequence[str],
    start: datetime,
    end: datetime,
) -> dict[str, datetime]:
    """Return the last call of each who made one."""
    asked = {"app_id": app_id, "route": route, "ids": many_ids(ids)}
    rows = await store.select(_LAST, {**asked, "start": to_us(start), "end": to_us(end)})
    return {row["user_id"]: row["last_at"] for row in rows}
