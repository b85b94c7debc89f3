"""Delete people from one schema of a warehouse, table by table.

In: an engine's settings and user ids. Out: rows deleted by table, and tables that would not let
them go. Each table is written in one step; one that fails stops no other, and deleting again
deletes what is left. Only our own tables are touched: what a team keeps beside them is theirs.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from headwater.warehouse.engines import Engine, TableError, open_engine
from headwater.warehouse.latest import LATEST
from headwater.warehouse.pack import DISCARDS
from headwater.warehouse.settings import WarehouseSettings
from headwater.warehouse.tables import CALL_MARKS

_OURS = {"id", "received_at", "uuid_ts"}
_KEYS_OF_STATES: Mapping[str, str] = {latest.table: latest.key for latest in LATEST}


class Erased(msgspec.Struct, frozen=True):
    """What was deleted so far, by `schema.table`."""

    rows: dict[str, int] = {}
    failures: dict[str, str] = {}

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(self.rows | other.rows, self.failures | other.failures)

    def check(self) -> None:
        """Raise `TableError` when some table still holds these people."""
        if self.failures:
            said = "; ".join(f"{table}: {why}" for table, why in sorted(self.failures.items()))
            raise TableError(
                f"Not every table let the users go. {said}",
                hint="Mend what is said and delete again; what is gone already stays gone.",
                tables=sorted(self.failures),
            )


def erase(
    settings: WarehouseSettings, schema: str, folder: Path, user_ids: Sequence[str]
) -> Erased:
    """Delete every row of these users; raise `UnavailableError` when the warehouse is away.

    Blocks: call it on a worker thread.
    """
    with open_engine(settings, schema, folder) as engine:
        found = erase_from(engine, user_ids)
    rows = {f"{schema}.{table}": count for table, count in found.rows.items()}
    return Erased(rows, {f"{schema}.{table}": why for table, why in found.failures.items()})


def erase_from(engine: Engine, user_ids: Sequence[str]) -> Erased:
    """Delete them from one schema; tables that held nothing of them are not named."""
    tables = engine.read_columns(engine.list_tables())
    rows: dict[str, int] = {}
    failures: dict[str, str] = {}
    for table, columns in tables.items():
        marks = _marks(table, columns)
        if not marks:
            continue
        try:
            counts = engine.forget(table, marks, user_ids, discards=DISCARDS in tables)
        except TableError as err:
            failures[table] = err.message
            continue
        for name, count in counts.items():
            rows[name] = rows.get(name, 0) + count
    return Erased({table: count for table, count in rows.items() if count}, failures)


def _marks(table: str, columns: Collection[str]) -> list[str]:
    """Return the columns that say whose a row is; none where rows are nobody's, or not ours."""
    if table == DISCARDS or not set(columns) >= _OURS:
        return []
    if table in _KEYS_OF_STATES:
        return ["id"] if _KEYS_OF_STATES[table] in CALL_MARKS else []
    return [mark for mark in CALL_MARKS if mark in columns]
