"""Give stored calls to those who are behind them, once a link is learned late.

In: the links that came since last time, by log offset. Out: calls, actions and what is derived of
them are as if the link had been known all along. One range of offsets at a time, written down
before it is begun; everything done within it may be repeated, so a death at any instant costs a
repetition. Runs beside ingest, and rests nine times as long as it works.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, cast

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.errors import HeadwaterError, Transient, UnavailableError
from headwater.base.settings import IdentitySettings
from headwater.base.telemetry import KEYS_TO_RELINK, ROWS_RELINKED, get_logger
from headwater.configdb import ConfigDb, Position, read_position, write_position
from headwater.eventstore import EventStore
from headwater.profiles.drawing import redraw_users
from headwater.profiles.identity.identity import Identity
from headwater.profiles.identity.links import Key, Kind
from headwater.profiles.identity.moves import TABLES, Moved, Scope, move, of_keys, of_users
from headwater.profiles.identity.recount import recount
from headwater.profiles.identity.shelf import Evidence, read_seen
from headwater.profiles.visitors import find_visitors

READER = "identity"
_STREAM = "links"
_INGEST = "ingest"
_KEYS_PER_PAGE = 5_000
_KEYS_AT_ONCE = 200
_REST = 9
_RETRY_S = 0.2
_logger = get_logger("profiles")

_NEW = "log_offset >= {first:UInt64} AND log_offset <= {last:UInt64}"
# Not as one comparison of tuples: the index would not understand it, and each page read them all.
_AFTER = """
(app_id > {app_id:String} OR app_id = {app_id:String} AND (
    kind > {kind:String} OR kind = {kind:String} AND key > {key:String}))
"""


def _next(table: str) -> str:
    return (
        f"SELECT app_id, kind, key FROM {table} WHERE {_NEW} AND {_AFTER}"
        f" ORDER BY app_id, kind, key LIMIT 1 BY app_id, kind, key LIMIT {_KEYS_PER_PAGE}"
    )


# Only keys that calls without a user came with have a history to be given away, and only visitors
# of whom something was said have a profile to be shown.
_PAGE = f"""
WITH page AS (
    SELECT app_id, kind, key
    FROM ({_next("links")} UNION ALL {_next("link_rulings")})
    GROUP BY app_id, kind, key ORDER BY app_id, kind, key LIMIT {_KEYS_PER_PAGE}
)
SELECT app_id, kind, key, kind = 'user'
    OR (app_id, kind, key) IN (
        SELECT app_id, kind, key FROM keys_seen WHERE (app_id, kind, key) IN page
    )
    OR kind = 'anonymous' AND (app_id, key) IN (
        SELECT app_id, id FROM profiles WHERE kind = 'user' AND anonymous
            AND (app_id, id) IN (SELECT app_id, key FROM page WHERE kind = 'anonymous')
    ) AS is_concerned
FROM page ORDER BY app_id, kind, key
"""
_COUNT = f"""
SELECT uniqExact(app_id, kind, key) AS n FROM (
    SELECT app_id, kind, key FROM links WHERE {_NEW}
    UNION ALL SELECT app_id, kind, key FROM link_rulings WHERE {_NEW}
)
"""
_COMPANIONS = """
SELECT DISTINCT session_key, anonymous_id FROM {table}
WHERE {where} AND session_key != '' AND anonymous_id != ''
"""
_UNFINISHED = """
SELECT count() AS n, max(latest_fail_reason) AS failure FROM system.mutations
WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND NOT is_done
"""


class Relinking:
    """The worker; the only one that changes rows that are stored."""

    name = "profiles.relinking"

    def __init__(
        self,
        store: EventStore,
        configdb: ConfigDb,
        identity: Identity,
        clock: Clock,
        settings: IdentitySettings,
    ) -> None:
        self._store = store
        self._configdb = configdb
        self._identity = identity
        self._clock = clock
        self._every_s = settings.relink_every_s

    async def run(self) -> None:
        """Work for ever."""
        while True:
            began_s = self._clock.monotonic_s()
            try:
                await self.step()
            except HeadwaterError as err:
                if not isinstance(err, Transient):
                    raise
                _logger.warning("relinking_waits", error=err.message)
            worked_s = self._clock.monotonic_s() - began_s
            await asyncio.sleep(max(self._every_s, _REST * worked_s))

    async def step(self) -> int:
        """Work off the links of everything stored; return how many rows changed hands."""
        ingest = await self._configdb.run(read_position, _INGEST)
        mine = await self._configdb.run(read_position, READER) or Position(0)
        if mine.pending is None and (ingest is None or ingest.next_offset <= mine.next_offset):
            return 0
        first, last = mine.pending or (mine.next_offset, ingest.next_offset - 1 if ingest else 0)
        if mine.pending is None:
            await self._move_on(Position(first, (first, last)))
        crash_point("identity.pending")
        rows = await self._relink(first, last, is_repeated=mine.pending is not None)
        await self._move_on(Position(last + 1))
        crash_point("identity.done")
        if rows:
            _logger.info("calls_relinked", first=first, last=last, rows=rows)
        return rows

    async def _move_on(self, position: Position) -> None:
        await self._configdb.run(write_position, self._clock, READER, _STREAM, position)

    async def _relink(self, first: int, last: int, *, is_repeated: bool) -> int:
        await self._settle()
        rows = 0
        async for page in self._pages(first, last):
            for app_id, keys in groupby(page, key=itemgetter(0)):
                rows += await self._relink_some(app_id, list(keys), last, is_repeated)
        KEYS_TO_RELINK.set(0)
        return rows

    async def _settle(self) -> None:
        """Wait for changes that a death interrupted: the engine goes on with them by itself."""
        while True:
            (state,) = await self._store.select(_UNFINISHED, {"tables": list(TABLES)})
            if state["failure"]:
                raise UnavailableError(f"The event store cannot change rows: {state['failure']}")
            if not state["n"]:
                return
            await asyncio.sleep(_RETRY_S)

    async def _pages(self, first: int, last: int) -> AsyncGenerator[list[Key]]:
        """Yield the keys whose links are new, and that somebody's history came with."""
        span = {"first": first, "last": last}
        (left,) = await self._store.select(_COUNT, span)
        after = {"app_id": "", "kind": "", "key": ""}
        rows: list[dict[str, Any]] = [after]
        passed = 0
        while rows:
            KEYS_TO_RELINK.set(left["n"] - passed)
            rows = await self._store.select(_PAGE, {**span, **after})
            keys = [_key_of(row) for row in rows if row["is_concerned"]]
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                yield keys[start : start + _KEYS_AT_ONCE]
            if rows:
                after = {name: rows[-1][name] for name in after}
                passed += len(rows)

    async def _relink_some(
        self, app_id: str, keys: Sequence[Key], upto: int, is_repeated: bool
    ) -> int:
        moved = Moved()
        naming = [key for key in keys if key[1] != "user"]
        users = [key for key in keys if key[1] == "user"]
        seen = await self._read_all(app_id, naming, users, upto)
        known = {key: evidence.learn(key[1]) for key, evidence in seen.items()}
        for scope in (
            of_keys(app_id, upto, naming, known),
            of_users(app_id, upto, users, known),
        ):
            for table in TABLES:
                await move(self._store, table, scope, moved)
                crash_point("identity.moved")
        if is_repeated:
            _concern_all(moved, seen)
        drawn = await self._whom_visitors_were(app_id, naming, seen)
        if moved.users or moved.companies or drawn:
            await self._recount(app_id, moved, drawn)
        ROWS_RELINKED.inc(moved.rows)
        return moved.rows

    async def _read_all(
        self, app_id: str, naming: Sequence[Key], users: Sequence[Key], upto: int
    ) -> dict[Key, Evidence]:
        """Return the evidence of the keys, of those they came together with, and of their users."""
        keys = {*naming, *await self._companions(of_keys(app_id, upto, naming, {}))}
        seen = await read_seen(self._store, keys)
        named: set[Key] = {(app_id, "user", s.value) for some in seen.values() for s in some.seen}
        return seen | await read_seen(self._store, named | {*users})

    async def _companions(self, scope: Scope) -> Collection[Key]:
        found: set[Key] = set()
        app_id = scope.values["app_id"]
        for table in TABLES:
            sql = _COMPANIONS.format(table=table, where=scope.where)
            for row in await self._store.select(sql, scope.values):
                found.add((app_id, "session", row["session_key"]))
                found.add((app_id, "anonymous", row["anonymous_id"]))
        return found

    async def _whom_visitors_were(
        self, app_id: str, keys: Sequence[Key], seen: Mapping[Key, Evidence]
    ) -> set[str]:
        """Return everybody whom these browsers ever named, where a visitor has a profile."""
        browsers = [key for _, kind, key in keys if kind == "anonymous"]
        visitors = await find_visitors(self._store, app_id, browsers)
        return {s.value for key in visitors for s in seen[app_id, "anonymous", key].seen}

    async def _recount(self, app_id: str, moved: Moved, drawn: Collection[str]) -> None:
        """Count and draw again while ingest waits, and only when no range is stored by half."""
        while True:
            async with self._identity.turn:
                ingest = await self._configdb.run(read_position, _INGEST)
                if ingest is None or ingest.pending is None:
                    due_at = ingest.next_offset if ingest else 0
                    if moved.users or moved.companies:
                        await recount(self._store, app_id, moved, due_at=due_at)
                    await redraw_users(self._store, app_id, drawn, due_at=due_at)
                    return
            await asyncio.sleep(_RETRY_S)


def _key_of(row: Mapping[str, Any]) -> Key:
    return str(row["app_id"]), cast("Kind", row["kind"]), str(row["key"])


def _concern_all(moved: Moved, seen: Mapping[Key, Evidence]) -> None:
    """Count all again whom these keys ever named: a dead attempt took with it whom it concerned."""
    for (_, kind, key), evidence in seen.items():
        values = {s.value for s in evidence.seen}
        if kind == "user":
            moved.users.add(key)
            moved.companies |= values
        else:
            moved.users |= values
    moved.lost_users |= moved.users
    moved.lost_companies |= moved.companies
