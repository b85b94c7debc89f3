"""Store the tables of a range of the log: one insert, each call once.

In: rows laid out, the calls of the same range, the range's token. Out: the rows that are new, with
their users' companies, in the store. The same rules as for single calls, asked once for each
different id and user.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from headwater.base.telemetry import CALLS_DROPPED
from headwater.eventstore import EventStore
from headwater.ingest.drops import DropReason
from headwater.ingest.heads import Call, CallHead
from headwater.ingest.repeats import Repeats, take_first
from headwater.ingest.seen_ids import Key
from headwater.profiles import Identity


class Bulk:
    """The way of rows into the store."""

    def __init__(self, store: EventStore, repeats: Repeats, identity: Identity) -> None:
        self._store = store
        self._repeats = repeats
        self._identity = identity

    async def insert(
        self, rows: pa.Table, beside: Iterable[Call], token: str, *, before: int
    ) -> int:
        """Insert the rows that are new, `beside` the calls of the same range; return how many.

        Safe to repeat with the same rows and token. A range that is worked on again passes its
        first offset as `before`: what its first attempt stored is no repeat.
        """
        new = await self._drop_repeats(rows, beside, before)
        if len(new) < len(rows):
            CALLS_DROPPED.labels(reason=DropReason.DUPLICATE).inc(len(rows) - len(new))
        if len(new):
            owned = await self._put_companies(new)
            await self._store.insert("landing", owned, token=f"{token}:table")
        return len(new)

    async def _drop_repeats(self, rows: pa.Table, beside: Iterable[Call], before: int) -> pa.Table:
        # Threads leave the event loop to those who wait for it.
        keys = await asyncio.to_thread(_keys, rows)
        new = await self._repeats.find_new(keys, before=before)
        for call in beside:
            new.pop((call.head.app_id, call.head.call_id), None)
        if len(new) == len(keys):
            return rows
        return rows.filter(pa.array(await asyncio.to_thread(take_first, keys, new)))

    async def _put_companies(self, rows: pa.Table) -> pa.Table:
        """Name the companies of the users, where links tell them."""
        callers = _callers(rows, await self._users_with_company(rows))
        if not callers:
            return rows
        companies = [""] * len(rows)
        places = list(callers)
        for at, owner in await self._identity.attribute(list(callers.values())):
            companies[places[at]] = owner.company_id
        named = pa.array(companies)
        by = pc.if_else(pc.equal(named, ""), "", "user")
        return rows.append_column("company_id", named).append_column("company_by", by)

    async def _users_with_company(self, rows: pa.Table) -> set[Key]:
        """Return the users whom any link names a company for, as of the rows' times.

        Whom the earliest moment finds without a company stays without one later: names begin with
        the first that was ever seen.
        """
        if pc.all(pc.equal(rows["user_id"], "")).as_py():
            return set()
        first = rows.group_by(["app_id", "user_id"]).aggregate([("time", "min")])
        heads = [_head(row["app_id"], row["user_id"], row["time_min"]) for row in first.to_pylist()]
        found = await self._identity.attribute(heads)
        return {(heads[at].app_id, heads[at].user_id) for at, _ in found}


def _callers(rows: pa.Table, users: set[Key]) -> Mapping[int, CallHead]:
    """Return what identity looks at, by place, of the rows of these users."""
    if not users:
        return {}
    columns = zip(*_values(rows, "app_id", "user_id", "time"), strict=True)
    return {
        place: _head(app_id, user_id, time)
        for place, (app_id, user_id, time) in enumerate(columns)
        if (app_id, user_id) in users
    }


def _keys(rows: pa.Table) -> list[Key]:
    return list(zip(*_values(rows, "app_id", "call_id"), strict=True))


def _values(rows: pa.Table, *names: str) -> Iterator[list[Any]]:
    for name in names:
        column = rows[name].combine_chunks()
        yield _numbered(column) if pa.types.is_dictionary(column.type) else column.to_pylist()


def _numbered(column: pa.DictionaryArray) -> list[str]:
    # Each text is made once. Arrow would make it again for each row, and that much slower.
    texts = column.dictionary.to_pylist()
    return [texts[number] for number in column.indices.to_pylist()]


def _head(app_id: str, user_id: str, time: datetime) -> CallHead:
    return CallHead(app_id=app_id, call_id="", time=time, received_at=time, uri="", user_id=user_id)
