"""The warehouses that one contract suite runs over, each with a way to look that is not ours.

A place is a fresh schema of a running engine; what is read back is what the team's own tools see.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import duckdb
import msgspec
import psycopg
import sqlalchemy as sa
from clickhouse_connect.driver.exceptions import DatabaseError
from psycopg.rows import dict_row

from headwater.model import Message
from headwater.warehouse.engines import Limits, limits_of, open_engine
from headwater.warehouse.engines.port import type_of
from headwater.warehouse.fill import Filled, fill
from headwater.warehouse.settings import (
    ClickHouseSettings,
    DuckDbSettings,
    FilesystemSettings,
    PostgresSettings,
    WarehouseSettings,
)
from headwater.warehouse.tables import Rows
from headwater.warehouse.types import Kind
from tests.rooms.warehouse.support import LOADED_AT
from tests.support.clickhouse_server import clickhouse_server, sign_of_absence
from tests.support.postgres import fresh_database_url, restart_server

Json = dict[str, Any]


class Place:
    """One schema of one warehouse."""

    count_of_loads = itertools.count(1)
    missing: tuple[type[Exception], ...] = ()
    """What a reader is told of a table that is not there."""
    to_text = "ALTER COLUMN {column} TYPE text"
    """How a person makes a column take everything."""
    to_small = "ALTER COLUMN {column} TYPE smallint"
    to_large = "ALTER COLUMN {column} TYPE bigint"
    shows_twice = False
    """True: while a load runs, a reader may see a row in its old and its new form."""

    def __init__(self, settings: WarehouseSettings, schema: str, folder: Path) -> None:
        self.settings = settings
        self.schema = schema
        self._folder = folder / "scratch"
        self.limits = limits_of(settings)

    def type_and_settings(self) -> tuple[str, dict[str, str]]:
        """Return what somebody fills in to add this warehouse."""
        values = {key: str(value) for key, value in msgspec.structs.asdict(self.settings).items()}
        return type_of(self.settings), values

    def load(
        self, *messages: Message, loaded_at: datetime = LOADED_AT, limits: Limits | None = None
    ) -> Filled:
        """Load messages as one batch."""
        rows = Rows(loaded_at, self.limits.identifier_bytes)
        for message in messages:
            rows.add(message)
        with self.open() as engine:
            return fill(engine, rows, limits or self.limits)

    @contextmanager
    def open(self) -> Iterator[Any]:
        load = f"load-{next(self.count_of_loads)}"
        with open_engine(self.settings, self.schema, self._folder, load) as engine:
            yield engine

    def kinds(self, table: str) -> dict[str, Kind]:
        """Return the columns of a table with their types."""
        with self.open() as engine:
            found: dict[str, Kind] = engine.read_columns([table])[table]
        return found

    def has(self, table: str) -> bool:
        """Tell whether a table is there."""
        return bool(self.kinds(table))

    def shown(self, table: str) -> list[Json]:
        """Return all rows; none where there is no table yet."""
        try:
            return self.table(table)
        except self.missing:
            return []

    def tidy(self) -> None:
        """Do now what the database does by itself in time."""

    def go_away(self) -> None:
        """Stop answering, in the midst of whatever it does."""
        raise NotImplementedError

    def come_back(self) -> None:
        """Answer again."""

    def select(self, table: str) -> list[Json]:
        raise NotImplementedError

    def run(self, sql: str) -> None:
        """Do something by hand; `{s}` stands for the schema."""
        raise NotImplementedError

    def table(self, table: str) -> list[Json]:
        """Return all rows, by id; times are aware, nulls as None."""
        key = "row_id" if table == "_discards" else "id"
        return sorted(
            ({name: _aware(value) for name, value in row.items()} for row in self.select(table)),
            key=lambda row: row[key],
        )


class DuckDbPlace(Place):
    settings: DuckDbSettings
    missing = (duckdb.CatalogException,)

    def select(self, table: str) -> list[Json]:
        with duckdb.connect(self.settings.path) as connection:
            rows: list[Json] = (
                connection.sql(f'SELECT * FROM {self.schema}."{table}"')
                .to_arrow_table()
                .to_pylist()
            )
        return rows

    def run(self, sql: str) -> None:
        with duckdb.connect(self.settings.path) as connection:
            connection.execute(sql.format(s=self.schema))


class PostgresPlace(Place):
    settings: PostgresSettings
    missing = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)

    def connect(self) -> psycopg.Connection[Json]:
        its = self.settings
        return psycopg.connect(
            host=its.host, dbname=its.database, user=its.user, autocommit=True, row_factory=dict_row
        )

    def go_away(self) -> None:
        restart_server()

    def select(self, table: str) -> list[Json]:
        with self.connect() as connection:
            return connection.execute(f'SELECT * FROM {self.schema}."{table}"').fetchall()

    def run(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.format(s=self.schema))


class ClickHousePlace(Place):
    settings: ClickHouseSettings
    missing = (DatabaseError,)
    to_text = "MODIFY COLUMN {column} Nullable(String)"
    to_small = "MODIFY COLUMN {column} Nullable(Int16)"
    to_large = "MODIFY COLUMN {column} Nullable(Int64)"
    shows_twice = True

    @cached_property
    def _client(self) -> Any:
        its = self.settings
        return clickhouse_connect.get_client(
            host=its.host, port=its.port, username=its.user, password=its.password, tz_mode="aware"
        )

    def select(self, table: str) -> list[Json]:
        return list(self._client.query(f'SELECT * FROM {self.schema}."{table}"').named_results())

    def go_away(self) -> None:
        self._absent.touch()

    def come_back(self) -> None:
        self._absent.unlink()

    @property
    def _absent(self) -> Path:
        return sign_of_absence(self._folder.parent / "clickhouse")

    def tidy(self) -> None:
        """Merge parts: each load makes some, and deleting looks into all of them."""
        with self.open() as engine:
            for table in engine.list_tables():
                self.run(f'OPTIMIZE TABLE {{s}}."{table}" FINAL')

    def run(self, sql: str) -> None:
        self._client.command(sql.format(s=self.schema).replace("DOUBLE", "Nullable(Float64)"))


class ParquetPlace(Place):
    """Rows are read as the reference says: the newest of each id."""

    settings: FilesystemSettings
    missing = (duckdb.IOException,)

    def has(self, table: str) -> bool:
        return any(Path(self.settings.path, self.schema, table).glob("*.parquet"))

    def select(self, table: str) -> list[Json]:
        key = "table_name, row_id, column_name" if table == "_discards" else "id"
        files = f"{self.settings.path}/{self.schema}/{table}/*.parquet"
        with duckdb.connect() as connection:
            rows: list[Json] = (
                connection.sql(
                    f"SELECT * FROM read_parquet('{files}', union_by_name=true) "
                    f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY uuid_ts DESC) = 1"
                )
                .to_arrow_table()
                .to_pylist()
            )
        return rows


class Places:
    """One running engine; gives fresh places in it."""

    def __init__(self, kind: type[Place], settings: WarehouseSettings, folder: Path) -> None:
        self.kind = kind
        self.settings = settings
        self._folder = folder
        self._schemas = itertools.count(1)

    def new(self, schema: str = "") -> Place:
        """Return a schema that is not there yet."""
        chosen = schema or f"source_{next(self._schemas)}"
        return self.kind(self.settings, chosen, self._folder)


@contextmanager
def open_places(type_: str, folder: Path) -> Iterator[Places]:
    """Start what a type of warehouse needs."""
    match type_:
        case "duckdb":
            yield Places(DuckDbPlace, DuckDbSettings(path=str(folder / "w.duckdb")), folder)
        case "filesystem":
            yield Places(ParquetPlace, FilesystemSettings(path=str(folder / "lake")), folder)
        case "postgres":
            yield Places(PostgresPlace, postgres_settings(), folder)
        case "clickhouse":
            with clickhouse_server(folder / "clickhouse") as url:
                port = urlsplit(url).port or 0
                its = ClickHouseSettings(host="127.0.0.1", port=port, password="pass@word")
                yield Places(ClickHousePlace, its, folder)


def postgres_settings(**more: Any) -> PostgresSettings:
    """Return settings for a fresh database of the tests' server."""
    url = sa.make_url(fresh_database_url())
    query: Mapping[str, Any] = url.query
    return PostgresSettings(
        **{
            "host": query.get("host") or url.host or "",
            "port": url.port or 5432,
            "database": url.database or "",
            "user": url.username or "",
            "password": url.password or "",
            "ssl": "disable",
            **more,
        }
    )


def _aware(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
