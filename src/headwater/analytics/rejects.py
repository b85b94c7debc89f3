"""List what the Collector API could not understand.

In: an app, a limit, a cursor. Out: rejected items with reason, place and masked sample, newest
first.
"""

from typing import Any

from headwater.analytics.cursor import TimeAndId, read_cursor, write_cursor
from headwater.analytics.spec import MOST_ROWS
from headwater.base.errors import InvalidInputError
from headwater.eventstore import EventStore

_PAGE = """
SELECT reject_id, received_at, kind, reason, field, sample
FROM rejects
WHERE app_id = {app_id:String}
    AND ({first:Bool} OR (received_at, reject_id) < ({time:DateTime64(3, 'UTC')}, {id:String}))
ORDER BY received_at DESC, reject_id DESC
LIMIT {limit:UInt32}
"""


async def list_rejects(
    store: EventStore, app_id: str, *, limit: int, cursor: str
) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page, and the cursor of the next."""
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidInputError(f"A limit is 1 to {MOST_ROWS}.", field="limit")
    place = read_cursor(cursor, TimeAndId) if cursor else None
    rows = await store.select(
        _PAGE,
        {
            "app_id": app_id,
            "first": place is None,
            "time": place.time if place else "1970-01-01 00:00:00",
            "id": place.id if place else "",
            "limit": limit + 1,
        },
    )
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], write_cursor(TimeAndId(last["received_at"], last["reject_id"]))
