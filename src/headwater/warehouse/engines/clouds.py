"""Load the clouds' warehouses through dlt; the only module that knows dlt.

In: Arrow tables. Out: the same rows in the warehouse, merged on their keys, each table by dlt's own
way for that warehouse. Nothing is remembered between loads, so a load that died is simply repeated.
dlt is kept to our data directory and reports to nobody. The services themselves cannot be had where
Headwater is tested: there this module loads DuckDB through dlt.
"""

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.providers.dictionary import DictionaryProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.destination.exceptions import DestinationException
from dlt.common.exceptions import MissingDependencyException
from dlt.common.runtime.run_context import RunContext
from dlt.destinations.exceptions import DatabaseUndefinedRelation, DestinationConnectionError
from dlt.destinations.job_client_impl import SqlJobClientWithStagingDataset
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.warehouse.engines.port import Columns, TableError
from headwater.warehouse.latest import NEWEST_BY, Latest, outgrown, state_columns
from headwater.warehouse.pack import DISCARDS, table_of
from headwater.warehouse.settings import (
    BigQuerySettings,
    DatabricksSettings,
    DuckDbSettings,
    RedshiftSettings,
    SnowflakeSettings,
)
from headwater.warehouse.types import Kind

_PIPELINE = "headwater"
_CONFIG: dict[str, Any] = {
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
    "normalize": {"workers": 1},
    "load": {"workers": 1, "delete_completed_jobs": True},
    "restore_from_destination": False,
}
_KINDS: Mapping[str | None, Kind] = {
    "timestamp": Kind.TIMESTAMP,
    "date": Kind.TIMESTAMP,
    "bigint": Kind.INTEGER,
    "double": Kind.FLOAT,
    "decimal": Kind.FLOAT,
    "wei": Kind.FLOAT,
    "bool": Kind.BOOLEAN,
}
_ONE_AT_A_TIME = threading.Lock()  # dlt keeps its context for the whole process


class _Context(RunContext):
    """Keeps dlt away from the home directory, the environment and configuration files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self._global_dir = str(folder)

    @property
    def data_dir(self) -> str:
        return self.global_dir

    def initial_providers(self) -> list[ConfigProvider]:
        provider = DictionaryProvider()
        for key, value in _CONFIG.items():
            provider.set_value(key, value, None)
        return [provider]


_CREDENTIALS: Mapping[type, tuple[str, Mapping[str, str]]] = {
    BigQuerySettings: (
        "bigquery",
        {
            "project_id": "project_id",
            "client_email": "client_email",
            "private_key": "private_key",
        },
    ),
    SnowflakeSettings: (
        "snowflake",
        {
            "host": "account",
            "database": "database",
            "username": "user",
            "password": "password",
            "warehouse": "warehouse",
            "role": "role",
        },
    ),
    RedshiftSettings: (
        "redshift",
        {
            "host": "host",
            "port": "port",
            "database": "database",
            "username": "user",
            "password": "password",
        },
    ),
    DatabricksSettings: (
        "databricks",
        {
            "server_hostname": "server_hostname",
            "http_path": "http_path",
            "access_token": "access_token",
            "catalog": "catalog",
        },
    ),
}
"""Of each cloud: dlt's name, and what dlt calls our settings."""


def dlt_destination(settings: Any) -> Any:
    """Return dlt's destination for our settings."""
    make: Any = dlt.destinations
    options: dict[str, Any] = {"naming_convention": "direct"}
    if isinstance(settings, DuckDbSettings):
        return make.duckdb(settings.path, **options)
    if type(settings) not in _CREDENTIALS:
        raise MisconfiguredError(f"dlt does not load {type(settings).__name__} here.")
    name, fields = _CREDENTIALS[type(settings)]
    credentials = {theirs: getattr(settings, ours) or None for theirs, ours in fields.items()}
    if isinstance(settings, BigQuerySettings):  # a key file spells line breaks out
        credentials["private_key"] = settings.private_key.replace("\\n", "\n")
        options["location"] = settings.location
    return getattr(make, name)(credentials=credentials, **options)


class Cloud:
    """One schema of one warehouse."""

    def __init__(self, settings: Any, schema: str, folder: Path) -> None:
        # Redshift takes files only from a bucket; rows go as statements instead.
        self._format: Any = None if isinstance(settings, RedshiftSettings) else "parquet"
        self._behind = isinstance(settings, DatabricksSettings)
        self._pipeline = dlt.pipeline(
            _PIPELINE,
            pipelines_dir=str(folder),
            destination=dlt_destination(settings),
            dataset_name=schema,
        )

    def check(self) -> None:
        with self._alone(""), self._client() as client:
            client.sql_client.execute_sql("SELECT 1")

    def list_tables(self) -> list[str]:
        with self._alone(""), self._client() as client:
            schema = client.sql_client.fully_qualified_dataset_name(quote=False).split(".")[-1]
            rows = client.sql_client.execute_sql(
                "SELECT table_name FROM information_schema.tables "
                f"WHERE table_schema = '{schema}' AND table_type NOT LIKE '%VIEW' "
                "ORDER BY table_name"
            )
        return [str(name) for (name,) in rows or () if not str(name).startswith("_dlt_")]

    def read_columns(self, tables: Sequence[str]) -> dict[str, Columns]:
        with self._alone(""), self._client() as client:
            return {
                table: {
                    name: _KINDS.get(column.get("data_type"), Kind.VARCHAR)
                    for name, column in columns.items()
                }
                for table, columns in client.get_storage_tables(tables)
            }

    def widen(self, table: str, columns: Sequence[str]) -> None:
        if not columns:
            return
        with self._alone(table), self._client() as client:
            sql = client.sql_client
            name = sql.make_qualified_table_name(table)
            for column in columns:
                quoted = sql.escape_column_name(column)
                sql.execute_sql(f"ALTER TABLE {name} ALTER COLUMN {quoted} TYPE DOUBLE PRECISION")

    def merge(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        with self._alone(table):
            self._forget_notes()
            self._pipeline.run(
                dlt.resource(
                    [data],
                    name=table,
                    primary_key=tuple(keys),
                    write_disposition={"disposition": "merge", "strategy": "delete-insert"},
                ),
                loader_file_format=self._format,
            )
            self._forget_notes()

    def fold(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> None:
        """Read the states, then merge them: how to write them in one step differs too much."""
        del subjects
        both = self.read_columns([latest.calls, latest.table])
        calls, existing = both[latest.calls], both[latest.table]
        with self._alone(latest.table):
            kinds = {"id": Kind.VARCHAR, **state_columns(calls), "uuid_ts": Kind.TIMESTAMP}
            rows = self._ask_states(latest, list(kinds)[1:-1], loaded_at)
            data = table_of(rows, kinds)
            kept = [c for c in kinds if c in existing or data[c].null_count < data.num_rows]
            self.widen(latest.table, outgrown(existing, calls))
            self.merge(latest.table, data.select(kept), ("id",))

    def _ask_states(
        self, latest: Latest, columns: Sequence[str], loaded_at: datetime
    ) -> list[tuple[Any, ...]]:
        with self._client() as client:
            sql = client.sql_client
            quoted = {c: sql.escape_column_name(c) for c in {*columns, *NEWEST_BY, latest.key}}
            calls, key = sql.make_qualified_table_name(latest.calls), quoted[latest.key]
            window = (
                f"OVER (PARTITION BY {key} ORDER BY "
                + ", ".join(f"{quoted[c]} DESC" for c in NEWEST_BY)
                + " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
            )
            # Databricks wants the words behind the parenthesis, BigQuery inside.
            first = (
                "FIRST_VALUE({}) IGNORE NULLS" if self._behind else "FIRST_VALUE({} IGNORE NULLS)"
            )
            states = "".join(f", {first.format(quoted[c])} {window}" for c in columns)
            rows = sql.execute_sql(
                f"SELECT DISTINCT {key}{states}, MAX(uuid_ts) OVER (PARTITION BY {key}) "
                f"FROM {calls} WHERE {key} IN (SELECT {key} FROM {calls} WHERE uuid_ts = %s)",
                loaded_at,
            )
            return [tuple(row) for row in rows or ()]

    def forget(
        self, table: str, marks: Sequence[str], user_ids: Sequence[str], *, discards: bool
    ) -> dict[str, int]:
        counts: dict[str, int] = {}
        with self._alone(table), self._client() as client:
            sql = client.sql_client
            some = ", ".join(["%s"] * len(user_ids))
            whose = " OR ".join(f"{sql.escape_column_name(mark)} IN ({some})" for mark in marks)
            values = list(user_ids) * len(marks)
            theirs = f"SELECT id FROM {sql.make_qualified_table_name(table)} WHERE {whose}"
            if discards:
                lost = f"table_name = '{table}' AND row_id IN ({theirs})"
                counts[DISCARDS] = _delete(sql, DISCARDS, lost, values)
            counts[table] = _delete(sql, table, whose, values)
        return counts

    def _forget_notes(self) -> None:
        # dlt skips comparing columns when it finds its own note of the schema, so a column that
        # somebody dropped would never come back; and a staging table keeps the types of its day.
        with self._client() as client:
            with client.with_staging_dataset():
                if client.sql_client.has_dataset():
                    client.sql_client.drop_dataset()
            with suppress(DatabaseUndefinedRelation):  # nothing was ever loaded here
                notes = client.sql_client.make_qualified_table_name("_dlt_version")
                client.sql_client.execute_sql(f"DELETE FROM {notes}")

    @contextmanager
    def _client(self) -> Iterator[SqlJobClientWithStagingDataset]:
        with self._pipeline.destination_client() as client:
            assert isinstance(client, SqlJobClientWithStagingDataset)  # noqa: S101 - types are ours
            yield client

    @contextmanager
    def _alone(self, table: str) -> Iterator[None]:
        try:
            yield
        except (PipelineStepFailed, DestinationException) as err:
            if table and not _is_away(err):
                raise TableError(_root_cause(err), table=table) from err
            raise UnavailableError(
                f"The warehouse did not take the load: {_root_cause(err)}",
                hint="Check address, user and rights; the load is repeated by itself.",
            ) from err


def _delete(sql: SqlClientBase[Any], table: str, where: str, values: Sequence[str]) -> int:
    name = sql.make_qualified_table_name(table)
    found = sql.execute_sql(f"SELECT count(*) FROM {name} WHERE {where}", *values)
    sql.execute_sql(f"DELETE FROM {name} WHERE {where}", *values)
    return int(found[0][0]) if found else 0


def _is_away(err: BaseException | None) -> bool:
    while err is not None:
        if isinstance(err, DestinationConnectionError):
            return True
        err = err.__cause__ or err.__context__
    return False


def _root_cause(err: BaseException) -> str:
    while err.__cause__ or err.__context__:
        err = err.__cause__ or err.__context__ or err
    return str(err).splitlines()[0] if str(err) else type(err).__name__


@contextmanager
def open_it(settings: Any, schema: str, folder: Path, load: str) -> Iterator[Cloud]:
    """Give an engine for a schema; `folder` is dlt's to write in, and gone afterwards."""
    del load
    with _ONE_AT_A_TIME:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # Set before dlt makes a context of its own, which would report to its makers.
        Container()[PluggableRunContext] = PluggableRunContext(_Context(folder))
        try:
            yield Cloud(settings, schema, folder)
        except (ConfigurationException, MissingDependencyException) as err:
            raise MisconfiguredError(
                f"dlt cannot load this warehouse: {type(err).__name__}.",
                hint="Is the extra installed? See the reference of warehouses.",
            ) from err
        finally:
            shutil.rmtree(folder, ignore_errors=True)
