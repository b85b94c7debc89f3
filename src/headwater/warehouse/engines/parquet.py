"""Load a directory of Parquet files, which DuckDB reads and writes here.

Each load adds one file to each table, named after the load: repeated, it takes the place of the
first. Files appear whole, by renaming. Calls are only ever added, so a message that came again in
another load is there twice: `id` tells. The latest states are one file, written anew by each load.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from headwater.base.crash import crash_point
from headwater.base.errors import UnavailableError
from headwater.warehouse.engines.duck import first_line, newest
from headwater.warehouse.engines.port import Columns, TableError
from headwater.warehouse.engines.sql import kind_of_type, quote
from headwater.warehouse.latest import Latest, state_columns
from headwater.warehouse.pack import DISCARDS
from headwater.warehouse.settings import FilesystemSettings

_PART = ".part"


class ParquetFiles:
    """One schema: a directory with a directory for each table."""

    def __init__(self, root: Path, schema: str, load: str) -> None:
        self._root = root
        self._schema = root / schema
        self._load = load or "load"
        self._connection = duckdb.connect()

    def check(self) -> None:
        with self._alone(""):
            probe = self._root / f"headwater{_PART}"
            self._root.mkdir(exist_ok=True)
            probe.write_bytes(b"headwater")
            probe.unlink()

    def list_tables(self) -> list[str]:
        return sorted(path.parent.name for path in self._schema.glob("*/*.parquet"))

    def read_columns(self, tables: Sequence[str]) -> dict[str, Columns]:
        found: dict[str, Columns] = {table: {} for table in tables}
        for table in tables:
            if not any(self._schema.glob(f"{table}/*.parquet")):
                continue
            with self._alone(table):
                described = self._connection.execute(f"DESCRIBE SELECT * FROM {self._all(table)}")
                found[table] = {row[0]: kind_of_type(row[1]) for row in described.fetchall()}
        return found

    def widen(self, table: str, columns: Sequence[str]) -> None:
        """Files stay as they are: readers unite integers and floats of a column to floats."""

    def merge(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        del keys
        with self._alone(table):
            self._write(table, self._load, data)

    def fold(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> None:
        del loaded_at
        with self._alone(latest.table):
            columns = list(state_columns(self.read_columns([latest.calls])[latest.calls]))
            self._connection.register("touched", pa.table({"id": subjects}))
            touched = "SELECT id FROM touched"
            states = newest(self._all(latest.calls), latest, columns, touched)
            if any(self._schema.glob(f"{latest.table}/*.parquet")):
                others = f"SELECT * FROM {self._all(latest.table)} WHERE id NOT IN ({touched})"
                states = f"{others} UNION ALL BY NAME ({states})"
            found = self._connection.sql(states).to_arrow_table()
            kept = [c for c in found.column_names if found[c].null_count < found.num_rows]
            self._write(latest.table, latest.table, found.select(kept))

    def forget(
        self, table: str, marks: Sequence[str], user_ids: Sequence[str], *, discards: bool
    ) -> dict[str, int]:
        self._connection.register("forgotten", pa.table({"id": list(user_ids)}))
        whose = " OR ".join(f"{quote(mark)} IN (SELECT id FROM forgotten)" for mark in marks)
        theirs = f"SELECT id FROM {self._all(table)} WHERE {whose}"
        counts: dict[str, int] = {}
        with self._alone(table):
            if discards:
                lost = f"table_name = '{table}' AND row_id IN ({theirs})"
                counts[DISCARDS] = self._rewrite(DISCARDS, lost)
            crash_point("warehouse.forgetting")
            counts[table] = self._rewrite(table, whose)
        return counts

    def _rewrite(self, table: str, gone: str) -> int:
        """Write each file of a table that holds such rows anew without them."""
        count = 0
        for file in sorted(self._schema.glob(f"{table}/*.parquet")):
            # A file lacks the columns that came later: the question is asked of all, and answered
            # for the rows of this one.
            of_it = f"{self._all(table, ', filename=true')} WHERE filename = '{_text(file)}'"
            kept = self._connection.sql(
                f"SELECT * EXCLUDE (filename) FROM {of_it} AND ({gone}) IS NOT TRUE"
            ).to_arrow_table()
            before = parquet.read_metadata(file).num_rows
            if kept.num_rows == before:
                continue
            count += before - kept.num_rows
            own = parquet.read_schema(file).names
            if kept.num_rows:
                self._write(table, file.stem, kept.select(own))
            else:
                file.unlink()
        return count

    def _all(self, table: str, more: str = "") -> str:
        pattern = _text(self._schema / table / "*.parquet")
        return f"read_parquet('{pattern}', union_by_name=true{more})"

    def _write(self, table: str, name: str, data: pa.Table) -> None:
        folder = self._schema / table
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name}{_PART}"
        parquet.write_table(data, part, compression="zstd")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        crash_point("warehouse.in_step")
        part.replace(folder / f"{name}.parquet")
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextmanager
    def _alone(self, table: str) -> Iterator[None]:
        try:
            yield
        except (OSError, duckdb.Error, pa.ArrowException) as err:
            if table:
                raise TableError(first_line(err), table=table) from err
            raise UnavailableError(
                f"The directory cannot be written: {first_line(err)}",
                hint="Check the path, its rights and the disk.",
            ) from err


def _text(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def open_it(
    settings: FilesystemSettings, schema: str, folder: Path, load: str
) -> Iterator[ParquetFiles]:
    """Give an engine for a schema of the directory."""
    del folder
    yield ParquetFiles(Path(settings.path), schema, load)
