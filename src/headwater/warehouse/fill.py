"""Fill one schema of a warehouse with the rows of one batch.

In: rows of one source, and a warehouse. Out: how many rows went into which table. First the calls,
then the latest states that follow from them, read from the warehouse itself: a load that died in
between is repeated whole and ends the same.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from headwater.base.crash import crash_point
from headwater.warehouse.catalog import WarehouseSettings
from headwater.warehouse.latest import LATEST, latest_sql, outgrown
from headwater.warehouse.load import Loader, open_loader
from headwater.warehouse.pack import DISCARDS, Packed, pack
from headwater.warehouse.tables import Notice, Rows
from headwater.warehouse.types import Kind


class Filled(msgspec.Struct, frozen=True):
    """What one load did."""

    rows: dict[str, int]
    notices: Counter[Notice]


def fill(settings: WarehouseSettings, schema: str, rows: Rows, folder: Path) -> Filled:
    """Load all rows; raise `UnavailableError` when the warehouse did not take them.

    Blocks for seconds: call it on a worker thread.
    """
    with open_loader(settings, schema, folder) as loader:
        packed = _pack_all(loader, rows)
        for table, part in packed.items():
            loader.widen(table, part.widened)
        crash_point("warehouse.widened")
        loader.merge({table: part.data for table, part in packed.items()})
        crash_point("warehouse.calls_merged")
        counts = {table: part.data.num_rows for table, part in packed.items()}
        counts |= _merge_latest(loader, schema, rows)
    return Filled(counts, rows.notices + _discarded(packed))


def _pack_all(loader: Loader, rows: Rows) -> dict[str, Packed]:
    kinds = loader.read_kinds([*rows.tables, DISCARDS])
    packed = {
        table: pack(table, list(mine.values()), kinds[table]) for table, mine in rows.tables.items()
    }
    discards = [row for part in packed.values() for row in part.discards]
    if discards:
        packed[DISCARDS] = pack(DISCARDS, discards, kinds[DISCARDS])
    return packed


def _merge_latest(loader: Loader, schema: str, rows: Rows) -> dict[str, int]:
    wanted = [latest for latest in LATEST if latest.calls in rows.tables]
    kinds = loader.read_kinds([name for one in wanted for name in (one.table, one.calls)])
    tables: dict[str, pa.Table] = {}
    for latest in wanted:
        calls, existing = kinds[latest.calls], kinds[latest.table]
        if latest.key not in calls:
            continue  # nobody but anonymous visitors so far
        found = loader.query(latest_sql(latest, schema, calls), rows.loaded_at)
        if found.num_rows:
            loader.widen(latest.table, outgrown(existing, calls))
            tables[latest.table] = _drop_empty(found, existing)
    loader.merge(tables)
    crash_point("warehouse.latest_merged")
    return {table: data.num_rows for table, data in tables.items()}


def _drop_empty(found: pa.Table, existing: Mapping[str, Kind]) -> pa.Table:
    # A column is made by its first value, not by a null.
    return found.select(
        [
            column
            for column in found.column_names
            if column in existing or found[column].null_count < found.num_rows
        ]
    )


def _discarded(packed: Mapping[str, Packed]) -> Counter[Notice]:
    return Counter(
        Notice("discarded", row["table_name"], row["column_name"])
        for part in packed.values()
        for row in part.discards
    )
