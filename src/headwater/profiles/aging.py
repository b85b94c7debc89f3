"""Find users whose lifecycle changed because time passed, though nothing happened to them.

In: a span of time. Out: user ids in order, page by page. Who may have changed is found in one pass
over the tables in their order; whether they did is asked of the one definition, at both ends of the
span. Neither holds more than a page.
"""

from datetime import datetime, timedelta

from headwater.eventstore import EventStore
from headwater.model import LifecycleRule
from headwater.profiles.lifecycle import read_standings

# Only what the edge of dormancy passed over can change: it was somebody's last quarter of an hour,
# or the one that ended a silence. And whoever was new is no longer. Each branch reads in the order
# of its table and stops when the page is full.
_CANDIDATES = """
SELECT DISTINCT user_id FROM (
    SELECT user_id FROM activity
    WHERE app_id = {app_id:String} AND user_id > {above:String} AND user_id <= {upto:String}
        AND calls > 0
        AND slot >= toDateTime({edge:Int64}, 'UTC') AND slot < toDateTime({edge_end:Int64}, 'UTC')
    ORDER BY user_id LIMIT 1 BY user_id LIMIT {limit:UInt32}
    UNION ALL
    SELECT user_id FROM people_seen
    WHERE app_id = {app_id:String} AND user_id > {above:String} AND user_id <= {upto:String}
        AND first_seen_at >= toDateTime({new:Int64}, 'UTC')
        AND first_seen_at < toDateTime({new_end:Int64}, 'UTC')
    ORDER BY user_id LIMIT 1 BY user_id LIMIT {limit:UInt32}
)
ORDER BY user_id LIMIT {limit:UInt32}
"""
LAST_ID = "\U0010ffff"
"""No id comes after it."""


async def read_aged_users(
    store: EventStore,
    app_id: str,
    rule: LifecycleRule,
    passed: tuple[datetime, datetime],
    *,
    above: str,
    upto: str,
    limit: int,
) -> list[str]:
    """Return the next `limit` ids beyond `above` and up to `upto`."""
    aged: list[str] = []
    while len(aged) < limit:
        asked = {**_bounds(rule, passed), "app_id": app_id, "above": above, "upto": upto}
        found = await store.select_arrow(_CANDIDATES, {**asked, "limit": limit})
        page = [str(id_) for id_ in found.column("user_id").to_pylist()]
        aged += await _changed(store, app_id, rule, passed, page)
        if len(page) < limit:
            break
        above = page[-1]
    return aged[:limit]


async def _changed(
    store: EventStore,
    app_id: str,
    rule: LifecycleRule,
    passed: tuple[datetime, datetime],
    ids: list[str],
) -> list[str]:
    if not ids:
        return []
    before, after = [
        {id_: one.lifecycle for id_, one in standings.items()}
        for standings in [
            await read_standings(store, app_id, "user", ids, rule, at) for at in passed
        ]
    ]
    return [id_ for id_ in ids if before.get(id_) != after.get(id_)]


def _bounds(rule: LifecycleRule, passed: tuple[datetime, datetime]) -> dict[str, int]:
    silence, newness = timedelta(days=rule.dormant_days), timedelta(days=rule.new_days)
    (edge, edge_end), (new, new_end) = ([at - days for at in passed] for days in (silence, newness))
    return {
        "edge": int(edge.timestamp()),
        "edge_end": int(edge_end.timestamp()),
        "new": int(new.timestamp()),
        "new_end": int(new_end.timestamp()),
    }
