"""Tell which calls the store holds, for senders that want to skip them.

In: call ids, and the span of time in which they happened. Out: those that are stored. Looks into
the memory of the de-duplication, which forgets after some weeks, and at the calls of that span,
which are kept for as long as the store keeps calls.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from headwater.eventstore import EventStore

_KNOWN = """
SELECT call_id FROM call_ids WHERE app_id = {app_id:String} AND call_id IN {ids:Array(String)}
UNION DISTINCT
SELECT call_id FROM calls WHERE app_id = {app_id:String} AND call_id IN {ids:Array(String)}
    AND time >= {first:DateTime64(6, 'UTC')} AND time <= {last:DateTime64(6, 'UTC')}
"""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


async def known_calls(
    store: EventStore,
    app_id: str,
    call_ids: Sequence[str],
    first: datetime | None = None,
    last: datetime | None = None,
) -> set[str]:
    """Return the ids that are stored; without a span only those of the last weeks are found."""
    asked = {
        "app_id": app_id,
        "ids": list(call_ids),
        "first": first or _NEVER,
        "last": last or _NEVER,
    }
    return {row["call_id"] for row in await store.select(_KNOWN, asked)}
