"""Load a PostgreSQL database: rows travel by COPY, each table is written in one transaction.

A table that somebody holds is waited for a little, then left: it is a matter of that table alone.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql as compose
from pyarrow import csv

from headwater.base.crash import crash_point
from headwater.base.errors import UnavailableError
from headwater.warehouse.engines.port import Columns, TableError
from headwater.warehouse.engines.sql import SqlEngine, names, quote
from headwater.warehouse.latest import LATEST, NEWEST_BY, Latest
from headwater.warehouse.pack import kind_of_arrow
from headwater.warehouse.settings import PostgresSettings
from headwater.warehouse.types import Kind

_CONNECT_TIMEOUT_S = 10
_LOCK_TIMEOUT_MS = 10_000
_OPTIONS = f"-c lock_timeout={_LOCK_TIMEOUT_MS} -c timezone=UTC -c client_min_messages=error"
# Of the server and not of a table: connection, resources, being shut down.
_OF_THE_SERVER = ("08", "53", "57P", "58", "XX")
_KEYS_OF_STATES = {latest.calls: latest.key for latest in LATEST}


class Postgres(SqlEngine):
    """One schema of a database."""

    types = {  # noqa: RUF012 - declared as a class variable in the parent
        Kind.TIMESTAMP: "timestamptz",
        Kind.INTEGER: "bigint",
        Kind.FLOAT: "double precision",
        Kind.BOOLEAN: "boolean",
        Kind.VARCHAR: "text",
    }
    any_of = "= ANY(%s)"

    def __init__(self, connection: psycopg.Connection, schema: str) -> None:
        super().__init__(schema)
        self._connection = connection

    def run(self, sql: str, *values: object) -> None:
        self._connection.execute(compose.SQL(sql), values or None)

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(compose.SQL(sql), values or None).fetchall()

    @contextmanager
    def alone(self, table: str) -> Iterator[None]:
        try:
            with self._connection.transaction():
                yield
        except psycopg.Error as err:
            if self._connection.closed or not table or _is_of_the_server(err):
                raise _unavailable(err) from err
            raise TableError(_said(err), table=table) from err

    def create(self, table: str, kinds: Columns, keys: Sequence[str]) -> None:
        columns = ", ".join(f"{quote(name)} {self.types[kind]}" for name, kind in kinds.items())
        self.run(f"CREATE TABLE {self.name(table)} ({columns}, PRIMARY KEY ({names(keys)}))")
        if key := _KEYS_OF_STATES.get(table):
            # The states of those whom a load touches are read from all their calls.
            if key not in kinds:
                self.run(f"ALTER TABLE {self.name(table)} ADD COLUMN {quote(key)} text")
            self.run(f"CREATE INDEX ON {self.name(table)} ({quote(key)})")

    def replace(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        self._copy("incoming", data)
        same = " AND ".join(f"t.{quote(key)} = incoming.{quote(key)}" for key in keys)
        columns = names(data.column_names)
        self.run(f"DELETE FROM {self.name(table)} AS t USING incoming WHERE {same}")
        crash_point("warehouse.in_step")
        self.run(f"INSERT INTO {self.name(table)} ({columns}) SELECT {columns} FROM incoming")

    def _copy(self, table: str, data: pa.Table) -> None:
        columns = ", ".join(
            f"{quote(field.name)} {self.types[kind_of_arrow(field.type)]}" for field in data.schema
        )
        self.run(f"DROP TABLE IF EXISTS pg_temp.{table}")
        self.run(f"CREATE TEMPORARY TABLE {table} ({columns}) ON COMMIT DROP")
        sink = io.BytesIO()
        csv.write_csv(_without_nul(data), sink, csv.WriteOptions(include_header=False))
        copying = compose.SQL(f"COPY {table} FROM STDIN (FORMAT csv)")
        with self._connection.cursor().copy(copying) as copy:
            copy.write(sink.getbuffer())
        self.run(f"ANALYZE {table} ({quote(data.column_names[0])})")

    def touch(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> str:
        del latest, loaded_at
        self._copy("touched", pa.table({"id": subjects}))
        return "SELECT id FROM touched"

    def write_states(
        self, latest: Latest, columns: Sequence[str], touched: str, loaded_at: datetime
    ) -> None:
        del loaded_at
        table, calls, key = self.name(latest.table), self.name(latest.calls), quote(latest.key)
        by = ", ".join(f"{quote(c)}{_BYTEWISE.get(c, '')} DESC" for c in NEWEST_BY)
        states = "".join(
            f", (array_agg({quote(c)} ORDER BY {by}) FILTER (WHERE {quote(c)} IS NOT NULL))[1]"
            for c in columns
        )
        self.run(f"DELETE FROM {table} WHERE id IN ({touched})")
        crash_point("warehouse.in_step")
        self.run(
            f"INSERT INTO {table} ({names(['id', *columns, 'uuid_ts'])}) "
            f"SELECT {key}{states}, max(uuid_ts) FROM {calls} "
            f"WHERE {key} IN ({touched}) GROUP BY {key}"
        )


_BYTEWISE = {"id": ' COLLATE "C"'}
"""Ids compare as they do everywhere, whatever the database's language is."""


def _without_nul(data: pa.Table) -> pa.Table:
    # Text of PostgreSQL cannot hold this one character.
    for place, field in enumerate(data.schema):
        if pa.types.is_string(field.type) and pc.any(pc.match_substring(data[place], "\0")).as_py():
            data = data.set_column(place, field, pc.replace_substring(data[place], "\0", ""))
    return data


def _is_of_the_server(err: psycopg.Error) -> bool:
    return (err.sqlstate or "08").startswith(_OF_THE_SERVER)


def _said(err: psycopg.Error) -> str:
    # The detail and context lines of an error hold values of rows.
    return err.diag.message_primary or str(err).partition("\n")[0] or type(err).__name__


def _unavailable(err: psycopg.Error) -> UnavailableError:
    return UnavailableError(
        f"PostgreSQL did not take the load: {_said(err)}",
        hint="Check address, database, user and rights; the load is repeated by itself.",
    )


@contextmanager
def open_it(settings: PostgresSettings, schema: str, folder: Path, load: str) -> Iterator[Postgres]:
    """Give an engine for a schema of the database."""
    del folder, load
    try:
        connection = psycopg.connect(
            host=settings.host,
            port=settings.port,
            dbname=settings.database,
            user=settings.user,
            password=settings.password or None,
            sslmode=settings.ssl,
            sslrootcert="system" if settings.ssl == "verify-full" else None,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name="headwater",
            options=_OPTIONS,
            autocommit=True,
        )
    except psycopg.Error as err:
        raise _unavailable(err) from err
    with connection:
        yield Postgres(connection, schema)
