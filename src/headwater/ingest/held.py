"""Tell an importer what the store holds of an app.

In: an app; offsets of log entries. Out: the days that have calls, so that an importer asks about
ids of no other days; how many calls came with these entries. Changes nothing.
"""

from collections.abc import Sequence
from datetime import date

from headwater.eventstore import EventStore

_DAYS = "SELECT DISTINCT toDate(slot, 'UTC') AS day FROM counters WHERE app_id = {app_id:String}"
_STORED = """
SELECT count() AS calls FROM calls
WHERE app_id = {app_id:String} AND log_offset IN {offsets:Array(UInt64)}
"""


async def days_with_calls(store: EventStore, app_id: str) -> list[date]:
    """Return the days, by UTC, on which the app has calls."""
    rows = await store.select(_DAYS, {"app_id": app_id})
    return sorted(row["day"] for row in rows)


async def count_stored(store: EventStore, app_id: str, offsets: Sequence[int]) -> int:
    """Return how many calls of these log entries are stored."""
    [row] = await store.select(_STORED, {"app_id": app_id, "offsets": list(offsets)})
    return int(row["calls"])
