"""Fill one schema of a warehouse with the rows of one batch.

In: rows of one source, and an engine. Out: how many rows went into which table, and which tables
could not be loaded. First the calls, then the latest states that follow from them, read from the
warehouse itself: a load that died in between is repeated whole and ends the same.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headwater.base.crash import crash_point
from headwater.warehouse.engines import Engine, Limits, TableError
from headwater.warehouse.engines.port import Columns
from headwater.warehouse.latest import LATEST
from headwater.warehouse.pack import DISCARDS, Packed, Room, pack
from headwater.warehouse.tables import Notice, Rows

_KEYS: Mapping[str, Sequence[str]] = {DISCARDS: ("table_name", "row_id", "column_name")}


class Filled(msgspec.Struct, frozen=True):
    """What one load did."""

    rows: dict[str, int]
    notices: Counter[Notice]
    failures: dict[str, str] = {}
    """Tables that could not be loaded, with the reason; nothing of them is half there."""


def fill(engine: Engine, rows: Rows, limits: Limits, leave_out: Collection[str] = ()) -> Filled:
    """Load all rows but those of `leave_out`; raise `UnavailableError` when nothing goes.

    Blocks for seconds: call it on a worker thread.
    """
    load = _Load(engine, rows, limits, frozenset(leave_out))
    load.merge_calls()
    crash_point("warehouse.calls_merged")
    load.fold_states()
    crash_point("warehouse.latest_merged")
    return Filled(load.counts, rows.notices + load.notices, load.failures)


class _Load:
    """The state of one load."""

    def __init__(
        self, engine: Engine, rows: Rows, limits: Limits, leave_out: frozenset[str]
    ) -> None:
        self._engine = engine
        self._rows = rows
        self._leave_out = leave_out
        self._room = Room(columns=limits.columns, earliest=limits.earliest, latest=limits.latest)
        self._subjects: dict[str, pa.Array] = {}
        self.counts: dict[str, int] = {}
        self.notices: Counter[Notice] = Counter()
        self.failures: dict[str, str] = {}

    def merge_calls(self) -> None:
        wanted = {name: of for name, of in self._rows.tables.items() if name not in self._leave_out}
        known = self._engine.read_columns([*wanted, DISCARDS])
        discards = []
        for table, mine in wanted.items():
            packed = pack(table, list(mine.values()), known[table], self._room)
            if self._try(table, partial(self._merge, table, packed)):
                discards += packed.discards
        self._merge_discards(discards, known[DISCARDS])

    def _merge(self, table: str, packed: Packed) -> None:
        self._engine.widen(table, packed.widened)
        crash_point("warehouse.widened")
        self._engine.merge(table, packed.data, _KEYS.get(table, ("id",)))
        self.counts[table] = packed.data.num_rows
        for latest in LATEST:
            if latest.calls == table and latest.key in packed.data.column_names:
                self._subjects[latest.table] = pc.unique(packed.data[latest.key].drop_null())

    def _merge_discards(self, discards: list[dict[str, object]], known: Columns) -> None:
        if not discards:
            return
        packed = pack(DISCARDS, discards, known, self._room)
        self._try(DISCARDS, lambda: self._merge(DISCARDS, packed))
        for row in discards:
            notice = Notice("discarded", str(row["table_name"]), str(row["column_name"]))
            self.notices[notice] += 1

    def fold_states(self) -> None:
        for latest in LATEST:
            subjects = self._subjects.get(latest.table)
            if not subjects or latest.table in self._leave_out:
                continue
            fold = partial(self._engine.fold, latest, subjects, self._rows.loaded_at)
            if self._try(latest.table, fold):
                self.counts[latest.table] = len(subjects)

    def _try(self, table: str, work: Callable[[], None]) -> bool:
        try:
            work()
        except TableError as err:
            self.failures[table] = err.message
            return False
        return True
