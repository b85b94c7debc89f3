"""Load a ClickHouse server by its HTTP interface; each schema is a database of it.

There are no transactions, but one insert is one step. New rows go in first, then older rows with
the same keys are deleted: at every instant each row is there at least once, and a load that died in
between is repeated and ends the same. The tables are of the kind that merges rows with equal keys,
so `FINAL` reads every row once even in between.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DatabaseError,
    OperationalError,
)

from headwater.base.crash import crash_point
from headwater.base.errors import UnavailableError
from headwater.warehouse.engines.port import Columns, TableError
from headwater.warehouse.engines.sql import SqlEngine, names, quote
from headwater.warehouse.latest import LATEST, NEWEST_BY, Latest
from headwater.warehouse.pack import DISCARDS
from headwater.warehouse.settings import ClickHouseSettings
from headwater.warehouse.types import Kind

_CONNECT_TIMEOUT_S = 10
_ANSWER_TIMEOUT_S = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER_NULL = {"id", "received_at", "uuid_ts"}
_STATES = {latest.table for latest in LATEST}
_NARROW = {
    f"{sign}Int{bits}": pa.type_for_alias(f"{sign}int{bits}".lower())
    for sign in ("", "U")
    for bits in (8, 16, 32, 64)
}
"""Integers that somebody may have narrowed a column to: what is too large would wrap around."""


class ClickHouse(SqlEngine):
    """One database of a server."""

    types = {  # noqa: RUF012 - declared as a class variable in the parent
        Kind.TIMESTAMP: "Nullable(DateTime64(6, 'UTC'))",
        Kind.INTEGER: "Nullable(Int64)",
        Kind.FLOAT: "Nullable(Float64)",
        Kind.BOOLEAN: "Nullable(Bool)",
        Kind.VARCHAR: "Nullable(String)",
    }
    any_of = "IN {ids:Array(String)}"
    wide = "MODIFY COLUMN {column} Nullable(Float64)"
    holds_schema = "SELECT 1 FROM system.databases WHERE name = '{schema}'"
    make_schema = "CREATE DATABASE {schema}"

    def __init__(self, client: Client, schema: str) -> None:
        super().__init__(schema)
        self._client = client

    def run(self, sql: str, *values: object) -> None:
        self._client.command(sql, parameters={"ids": values[0]} if values else None)

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        answer = self._client.query(sql, parameters={"ids": values[0]} if values else None)
        return [tuple(row) for row in answer.result_rows]

    @contextmanager
    def alone(self, table: str) -> Iterator[None]:
        try:
            yield
        except ClickHouseError as err:
            # The driver calls a broken connection an error of the database, too.
            of_table = isinstance(err, DatabaseError) and not isinstance(err, OperationalError)
            if table and of_table:
                raise TableError(_said(err), table=table) from err
            raise _unavailable(err) from err

    def create(self, table: str, kinds: Columns, keys: Sequence[str]) -> None:
        never_null = _NEVER_NULL | set(keys)
        columns = ", ".join(
            f"{quote(name)} {_bare(self.types[kind]) if name in never_null else self.types[kind]}"
            for name, kind in kinds.items()
        )
        order = keys if table in _STATES or table == DISCARDS else ("received_at", *keys)
        self.run(
            f"CREATE TABLE {self.name(table)} "
            f"({columns}, INDEX loaded uuid_ts TYPE minmax GRANULARITY 1) "
            f"ENGINE = ReplacingMergeTree(uuid_ts) ORDER BY ({names(order)})"
        )

    def replace(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        self._refuse_to_wrap(table, data)
        loaded_at = pc.max(data["uuid_ts"]).as_py()
        again = self._has_loaded(table, loaded_at)
        self._client.insert_arrow(table, data, database=self.schema)
        crash_point("warehouse.in_step")
        self._drop_older(table, keys, loaded_at)
        if again:  # the same instant a second time: no row is older than its twin
            self.run(f"OPTIMIZE TABLE {self.name(table)} FINAL")

    def _refuse_to_wrap(self, table: str, data: pa.Table) -> None:
        for column in data.column_names:
            spoken = self._narrow_type(table, column)
            if spoken:
                try:
                    data[column].cast(_NARROW[spoken])
                except pa.ArrowInvalid as err:
                    said = f"The column {column} is {spoken}, which cannot hold all values."
                    raise TableError(said, table=table) from err

    def _narrow_type(self, table: str, column: str) -> str:
        spoken = _bare(self.spoken.get((table, column), ""))
        return spoken if spoken in _NARROW and spoken != "Int64" else ""

    def forget(
        self, table: str, marks: Sequence[str], user_ids: Sequence[str], *, discards: bool
    ) -> dict[str, int]:
        counts = super().forget(table, marks, user_ids, discards=discards)
        # Deleted rows are only hidden until their part is merged, which may be never.
        with self.alone(table):
            for name in (name for name, count in counts.items() if count):
                self.run(
                    f"ALTER TABLE {self.name(name)} APPLY DELETED MASK SETTINGS mutations_sync = 1"
                )
        return counts

    def _has_loaded(self, table: str, loaded_at: datetime) -> bool:
        query = f"SELECT 1 FROM {self.name(table)} WHERE uuid_ts = {_moment(loaded_at)} LIMIT 1"
        return bool(self.ask(query))

    def _drop_older(self, table: str, keys: Sequence[str], loaded_at: datetime) -> None:
        name, key, moment = self.name(table), f"({names(keys)})", _moment(loaded_at)
        self.delete(
            table,
            f"uuid_ts != {moment} AND {key} IN (SELECT {key} FROM {name} WHERE uuid_ts = {moment})",
        )

    def touch(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> str:
        del subjects
        key, calls = quote(latest.key), self.name(latest.calls)
        return (
            f"SELECT assumeNotNull({key}) FROM {calls} "
            f"WHERE uuid_ts = {_moment(loaded_at)} AND {key} IS NOT NULL"
        )

    def write_states(
        self, latest: Latest, columns: Sequence[str], touched: str, loaded_at: datetime
    ) -> None:
        by, key, moment = f"({names(NEWEST_BY)})", quote(latest.key), _moment(loaded_at)
        # Aliases would stand for the columns they are named after, so the states have none.
        states = "".join(f", {self._exactly(latest.table, c, by)}" for c in columns)
        again = self._has_loaded(latest.table, loaded_at)
        self.run(
            f"INSERT INTO {self.name(latest.table)} ({names(['id', *columns, 'uuid_ts'])}) "
            f"SELECT assumeNotNull({key}){states}, {moment} FROM {self.name(latest.calls)} "
            f"WHERE {key} IN ({touched}) GROUP BY {key}"
        )
        crash_point("warehouse.in_step")
        self._drop_older(latest.table, ("id",), loaded_at)
        if again:
            self.run(f"OPTIMIZE TABLE {self.name(latest.table)} FINAL")

    def _exactly(self, table: str, column: str, by: str) -> str:
        newest = f"argMax({quote(column)}, {by})"
        narrow = self._narrow_type(table, column)
        return f"accurateCast({newest}, 'Nullable({narrow})')" if narrow else newest


def _bare(spoken: str) -> str:
    return spoken.removeprefix("Nullable(").removesuffix(")")


def _moment(at: datetime) -> str:
    micros = int((at - _EPOCH).total_seconds() * 1_000_000)
    return f"fromUnixTimestamp64Micro({micros}, 'UTC')"


def _said(err: ClickHouseError) -> str:
    return " ".join(str(err).split())[:300] or type(err).__name__


def _unavailable(err: ClickHouseError) -> UnavailableError:
    return UnavailableError(
        f"ClickHouse did not take the load: {_said(err)}",
        hint="Check address, user and rights; the load is repeated by itself.",
    )


@contextmanager
def open_it(
    settings: ClickHouseSettings, schema: str, folder: Path, load: str
) -> Iterator[ClickHouse]:
    """Give an engine for a database of the server."""
    del folder, load
    try:
        client = clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=settings.user,
            password=settings.password,
            interface="https" if settings.tls == "yes" else "http",
            connect_timeout=_CONNECT_TIMEOUT_S,
            send_receive_timeout=_ANSWER_TIMEOUT_S,
            autogenerate_session_id=False,
        )
    except ClickHouseError as err:
        raise _unavailable(err) from err
    with client:
        yield ClickHouse(client, schema)
