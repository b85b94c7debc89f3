"""Drop calls that were stored before: exactly, by app and call id; the first one wins.

In: the calls of a batch. Out: those that are new. Asks the store, which remembers ids for
`eventstore.dedup_days`, so there is no second memory that could be lost.
"""

from collections import defaultdict
from collections.abc import Sequence

from headwater.base.telemetry import CALLS_DROPPED
from headwater.eventstore import EventStore
from headwater.ingest.batch import At
from headwater.ingest.drops import DropReason

_KNOWN = """
SELECT call_id FROM call_ids
WHERE app_id = {app_id:String} AND call_id IN {ids:Array(String)} AND log_offset < {before:UInt64}
"""
_IDS_PER_QUESTION = 20_000
END_OF_LOG = 2**63


async def drop_repeats(store: EventStore, calls: Sequence[At], *, before: int) -> list[At]:
    """Return the calls whose id is neither in the store from an offset < `before` nor seen above.

    A range that is worked on again passes its first offset: what its first attempt stored is no
    repeat, and the store recognises it by the token. A new range passes `END_OF_LOG`.
    """
    seen = await _find_known(store, calls, before)
    new: list[At] = []
    for offset, call in calls:
        key = (call.app_id, call.call_id)
        if key not in seen:
            seen.add(key)
            new.append((offset, call))
    if len(new) < len(calls):
        CALLS_DROPPED.labels(reason=DropReason.DUPLICATE).inc(len(calls) - len(new))
    return new


async def _find_known(store: EventStore, calls: Sequence[At], before: int) -> set[tuple[str, str]]:
    by_app: defaultdict[str, list[str]] = defaultdict(list)
    for _, call in calls:
        by_app[call.app_id].append(call.call_id)
    known: set[tuple[str, str]] = set()
    for app_id, ids in by_app.items():
        for start in range(0, len(ids), _IDS_PER_QUESTION):
            asked = {
                "app_id": app_id,
                "ids": ids[start : start + _IDS_PER_QUESTION],
                "before": before,
            }
            known.update((app_id, row["call_id"]) for row in await store.select(_KNOWN, asked))
    return known
