"""Load a DuckDB file: Arrow goes in as it is, each table in one transaction.

The file is open only while a load runs, so that a shell of the team may open it in between.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from headwater.base.crash import crash_point
from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.warehouse.engines.port import TableError
from headwater.warehouse.engines.sql import SqlEngine, names, quote
from headwater.warehouse.latest import NEWEST_BY, Latest
from headwater.warehouse.settings import DuckDbSettings
from headwater.warehouse.types import Kind

_OF_THE_FILE = (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException)
TYPES = {
    Kind.TIMESTAMP: "TIMESTAMPTZ",
    Kind.INTEGER: "BIGINT",
    Kind.FLOAT: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.VARCHAR: "VARCHAR",
}


class DuckDb(SqlEngine):
    """One schema of a file."""

    types = TYPES
    any_of = "IN (SELECT unnest(?::VARCHAR[]))"

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        super().__init__(schema)
        self._connection = connection

    def run(self, sql: str, *values: object) -> None:
        self._connection.execute(sql, list(values))

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(values)).fetchall()

    @contextmanager
    def alone(self, table: str) -> Iterator[None]:
        try:
            self.run("BEGIN")
            yield
            self.run("COMMIT")
        except duckdb.Error as err:
            with suppress(duckdb.Error):  # it may have ended already
                self.run("ROLLBACK")
            if isinstance(err, _OF_THE_FILE) or not table:
                raise unavailable(err) from err
            raise TableError(first_line(err), table=table) from err

    def replace(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        self._connection.register("incoming", data)
        same = " AND ".join(f"t.{quote(key)} = incoming.{quote(key)}" for key in keys)
        self.run(f"DELETE FROM {self.name(table)} AS t USING incoming WHERE {same}")
        crash_point("warehouse.in_step")
        self.run(f"INSERT INTO {self.name(table)} BY NAME SELECT * FROM incoming")
        self._connection.unregister("incoming")

    def touch(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> str:
        del latest, loaded_at
        self._connection.register("touched", pa.table({"id": subjects}))
        return "SELECT id FROM touched"

    def write_states(
        self, latest: Latest, columns: Sequence[str], touched: str, loaded_at: datetime
    ) -> None:
        del loaded_at
        self.run(f"DELETE FROM {self.name(latest.table)} WHERE id IN ({touched})")
        crash_point("warehouse.in_step")
        states = newest(self.name(latest.calls), latest, columns, touched)
        self.run(f"INSERT INTO {self.name(latest.table)} BY NAME {states}")


def newest(calls: str, latest: Latest, columns: Sequence[str], touched: str) -> str:
    """Return the query for the latest states of the touched, from `calls`."""
    key = quote(latest.key)
    states = "".join(f", arg_max({quote(c)}, place) AS {quote(c)}" for c in columns)
    # A number compares faster than three values, for each of many columns.
    placed = (
        f"SELECT *, row_number() OVER (ORDER BY {names(NEWEST_BY)}) AS place FROM {calls} "
        f"WHERE {key} IN ({touched})"
    )
    return f"SELECT {key} AS id{states}, max(uuid_ts) AS uuid_ts FROM ({placed}) GROUP BY {key}"


def first_line(err: Exception) -> str:
    """Return what an engine said, in one line."""
    return str(err).splitlines()[0] if str(err) else type(err).__name__


def unavailable(err: Exception) -> UnavailableError:
    """Return the error of a file that could not be opened or written."""
    return UnavailableError(
        f"The warehouse did not take the load: {first_line(err)}",
        hint="Close other programs that hold the file; the load is repeated by itself.",
    )


@contextmanager
def open_it(settings: DuckDbSettings, schema: str, folder: Path, load: str) -> Iterator[DuckDb]:
    """Give an engine for a schema of the file."""
    del folder, load
    if Path(settings.path).stem == schema:
        raise MisconfiguredError(
            f"A DuckDB file and a schema in it cannot both be called {schema!r}.",
            hint="Add the warehouse with another file name.",
        )
    try:
        connection = duckdb.connect(settings.path)
    except duckdb.Error as err:
        raise unavailable(err) from err
    with connection:
        yield DuckDb(connection, schema)
