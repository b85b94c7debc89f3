"""Drop calls that were stored before: exactly, by app and call id; the first one wins.

In: the calls of a batch. Out: those that are new. The store decides, and remembers ids for
`eventstore.dedup_days`; a filter in memory, learnt from the store at start-up, spares it all
questions about ids that it certainly never saw. Importers ask the same, to send only what is new.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import compress

import pyarrow as pa

from headwater.base.clock import Clock
from headwater.base.telemetry import CALLS_DROPPED
from headwater.eventstore import EventStore
from headwater.ingest.drops import DropReason
from headwater.ingest.heads import Call
from headwater.ingest.seen_ids import Key, SeenIds

_KNOWN = """
SELECT call_id AS id FROM call_ids
WHERE app_id = {app_id:String} AND call_id IN {ids:Array(String)} AND log_offset < {before:UInt64}
"""
_SPAN = """
WHERE app_id = {app_id:String} AND time >= {first:DateTime64(6, 'UTC')}
    AND time <= {last:DateTime64(6, 'UTC')} AND received_at < {forgotten:DateTime64(3, 'UTC')}
"""
_ANY_FORGOTTEN = f"SELECT 1 AS found FROM calls {_SPAN} LIMIT 1"
_FORGOTTEN = f"SELECT call_id FROM calls {_SPAN} AND call_id IN {{ids:Array(String)}}"
# Not as one comparison of tuples: the index would not understand it, and each page read them all.
_PAGE = """
SELECT app_id, call_id FROM call_ids
WHERE app_id > {app_id:String} OR (app_id = {app_id:String} AND call_id > {call_id:String})
ORDER BY app_id, call_id LIMIT {limit:UInt64}
"""
_IDS_PER_PAGE = 1_000_000
"""Below what one question may answer."""
_IDS_PER_QUESTION = 20_000
END_OF_LOG = 2**63


class Repeats:
    """Knows which calls are stored; ingest and those who ask share one."""

    def __init__(self, store: EventStore, clock: Clock, *, dedup_days: int) -> None:
        self._store = store
        self._clock = clock
        self._remembered = timedelta(days=dedup_days)
        self._seen: SeenIds | None = None

    async def drop(self, calls: Sequence[Call], *, before: int) -> list[Call]:
        """Return the calls whose id is neither in the store from an offset < `before` nor above.

        A range that is worked on again passes its first offset: what its first attempt stored is no
        repeat, and the store recognises it by the token. A new range passes `END_OF_LOG`.
        """
        # Threads leave the event loop to those who wait for it.
        keys = await asyncio.to_thread(_keys, calls)
        new = await self.find_new(keys, before=before)
        if len(new) == len(calls):
            return list(calls)
        CALLS_DROPPED.labels(reason=DropReason.DUPLICATE).inc(len(calls) - len(new))
        return list(compress(calls, await asyncio.to_thread(take_first, keys, new)))

    async def find_new(self, keys: Sequence[Key], *, before: int) -> dict[Key, bool]:
        """Return the keys that `drop` would leave, each of them true."""
        seen = self._seen = self._seen or await self._learn()
        suspects = await asyncio.to_thread(seen.suspects, keys)
        stored = await self._find_stored(suspects, before) if suspects else set()
        return await asyncio.to_thread(_remember, keys, stored, seen)

    async def known(
        self, app_id: str, ids: Sequence[str], first: datetime | None, last: datetime | None
    ) -> set[str]:
        """Return the ids that are stored, of calls that happened between `first` and `last`.

        Calls that came so long ago that their ids are forgotten are found by that span; without
        one they are not.
        """
        seen = self._seen
        keys = [(app_id, id_) for id_ in ids]
        suspects = keys if seen is None else seen.suspects(keys)
        known = {id_ for _, id_ in await self._find_stored(suspects, END_OF_LOG)}
        forgotten = self._clock.now() - self._remembered
        if first is None or last is None or first >= forgotten:
            return known
        asked = {"app_id": app_id, "first": first, "last": last, "forgotten": forgotten}
        if not await self._store.select(_ANY_FORGOTTEN, asked):
            return known
        rows = await self._store.select(_FORGOTTEN, {**asked, "ids": list(ids)})
        return known | {row["call_id"] for row in rows}

    async def _learn(self) -> SeenIds:
        seen = SeenIds(self._clock, self._remembered)
        last: Key = ("", "")
        while True:
            asked = {"app_id": last[0], "call_id": last[1], "limit": _IDS_PER_PAGE}
            page = await self._store.select_arrow(_PAGE, asked)
            # A thread leaves the event loop to those who wait for it.
            keys = await asyncio.to_thread(_take_in, page, seen)
            if len(keys) < _IDS_PER_PAGE:
                return seen
            last = keys[-1]

    async def _find_stored(self, suspects: Iterable[Key], before: int) -> set[Key]:
        return await find_stored(self._store, _KNOWN, suspects, before)


def _keys(calls: Sequence[Call]) -> list[Key]:
    return [(call.head.app_id, call.head.call_id) for call in calls]


def _remember(keys: Iterable[Key], stored: Iterable[Key], seen: SeenIds) -> dict[Key, bool]:
    first = dict.fromkeys(keys, True)
    for key in stored:
        del first[key]
    seen.update(first)
    return first


def take_first(keys: Iterable[Key], new: dict[Key, bool]) -> list[bool]:
    """Tell of each key whether it takes its place among the new ones: the first of equals does."""
    return [new.pop(key, False) for key in keys]


def _take_in(page: pa.Table, seen: SeenIds) -> list[Key]:
    columns = (page.column(name).to_pylist() for name in ("app_id", "call_id"))
    keys: list[Key] = list(zip(*columns, strict=True))
    seen.update(keys)
    return keys


async def find_stored(
    store: EventStore, question: str, keys: Iterable[Key], before: int
) -> set[Key]:
    """Return the keys that the store has from an offset < `before`.

    The question selects `id`, and has the parameters `app_id`, `ids` and `before`.
    """
    by_app: defaultdict[str, list[str]] = defaultdict(list)
    for app_id, id_ in keys:
        by_app[app_id].append(id_)
    stored: set[Key] = set()
    for app_id, ids in by_app.items():
        for start in range(0, len(ids), _IDS_PER_QUESTION):
            some = ids[start : start + _IDS_PER_QUESTION]
            asked = {"app_id": app_id, "ids": some, "before": before}
            rows = await store.select(question, asked)
            stored.update((app_id, row["id"]) for row in rows)
    return stored
