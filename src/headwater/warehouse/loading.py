"""Load one batch of the log into one warehouse.

In: entries, and what of them the warehouse wants. Out: rows by table, notices, tables that could
not be loaded, and how long it took. Blocks: it runs on a thread.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from headwater.base.clock import Clock
from headwater.base.errors import NotFoundError
from headwater.base.telemetry import WAREHOUSE_ROWS
from headwater.configdb import ConfigDb
from headwater.eventlog import Entry
from headwater.sources import get_source
from headwater.warehouse.batch import Wish, sort_by_source
from headwater.warehouse.latest import LATEST
from headwater.warehouse.store import Warehouse, reader_of
from headwater.warehouse.tables import Notice, Rows, schema_name

T = TypeVar("T")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What is loaded where."""

    warehouse: Warehouse
    wish: Wish
    only: str = ""
    """One table and what follows from it or it follows from; empty: all."""
    parked: frozenset[tuple[str, str]] = frozenset()
    """Tables that others catch up with, by source."""
    folder: Path

    def is_reread(self, reader: str) -> bool:
        """Tell whether a reader is not the warehouse itself."""
        return reader != reader_of(self.warehouse.id)

    def without(self, failures: Mapping[tuple[str, str], str]) -> "Scope":
        """Return the scope without tables that were parked just now."""
        if not failures:
            return self
        return msgspec.structs.replace(self, parked=self.parked | set(failures))


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was loaded so far."""

    rows: Counter[str] = Counter()
    """By `schema.table`."""
    notices: Counter[Notice] = Counter()
    failures: dict[tuple[str, str], str] = {}
    """By source and table: why it was not loaded."""
    prepare_s: float = 0.0
    load_s: float = 0.0

    def __add__(self, other: "Done") -> "Done":
        return Done(
            rows=self.rows + other.rows,
            notices=self.notices + other.notices,
            failures=self.failures | other.failures,
            prepare_s=self.prepare_s + other.prepare_s,
            load_s=self.load_s + other.load_s,
        )


def load(scope: Scope, entries: list[Entry], configdb: ConfigDb, clock: Clock) -> Done:
    """Load the entries' messages; raise `UnavailableError` when the warehouse is away."""
    began_s = time.perf_counter()
    sources, notices = sort_by_source(entries, scope.wish, clock.now())
    sorted_s = time.perf_counter()
    done = Done(notices=notices, prepare_s=sorted_s - began_s)
    name = f"{entries[0].offset:020}-{entries[-1].offset:020}"
    for source_id, rows in sources.items():
        schema = _schema_of(configdb, source_id, scope.wish.identifier_bytes)
        if schema:
            done += _load_schema(scope, source_id, schema, rows, name)
        else:
            done += Done(notices=Counter({Notice("unknown_source", source_id): 1}))
    return msgspec.structs.replace(done, load_s=time.perf_counter() - sorted_s)


def _load_schema(scope: Scope, source_id: str, schema: str, rows: Rows, name: str) -> Done:
    from headwater.warehouse.engines import limits_of, open_engine
    from headwater.warehouse.fill import fill

    settings = scope.warehouse.settings
    leave_out = {table for source, table in scope.parked if source == source_id}
    if scope.only:
        leave_out = _all_but(scope.only, rows)
    # States have no rows of their own among the calls: who leaves them out says so.
    leave_out |= {one.table for one in LATEST if one.table in rows.unwanted}
    with open_engine(settings, schema, scope.folder, name) as engine:
        filled = fill(engine, rows, limits_of(settings), leave_out)
    for table, count in filled.rows.items():
        WAREHOUSE_ROWS.labels(scope.warehouse.name, table).inc(count)
    return Done(
        rows=Counter({f"{schema}.{table}": count for table, count in filled.rows.items()}),
        notices=Counter({_in(schema, notice): n for notice, n in filled.notices.items()}),
        failures={(source_id, table): why for table, why in filled.failures.items()},
    )


def _all_but(table: str, rows: Rows) -> set[str]:
    """Return every table but one, what follows from it and what it follows from."""
    kin = {table}
    for latest in LATEST:
        if table in {latest.table, latest.calls}:
            kin |= {latest.table, latest.calls}
    return ({*rows.tables} | {latest.table for latest in LATEST}) - kin


def _schema_of(configdb: ConfigDb, source_id: str, identifier_bytes: int) -> str:
    try:
        with configdb.transaction() as connection:
            return schema_name(get_source(connection, source_id).slug, identifier_bytes)
    except NotFoundError:
        return ""


def _in(schema: str, notice: Notice) -> Notice:
    return msgspec.structs.replace(notice, table=f"{schema}.{notice.table}")


async def finish(work: Callable[..., T], *args: Any) -> T:
    """Run `work` on a thread; when cancelled, wait for its end before giving up.

    A thread cannot be stopped, and what it works on must not be closed under it.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
