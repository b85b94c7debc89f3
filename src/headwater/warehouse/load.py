"""Write tables into a warehouse through dlt; the only module that knows dlt.

In: Arrow tables that carry our types. Out: the same rows in the warehouse, merged on their keys,
each table in one transaction. The warehouse itself is the truth: its columns are read before each
load and nothing is remembered in between, so a load that died is simply repeated. dlt is kept to
our data directory and reports to nobody.
"""

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.dictionary import DictionaryProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.destination.exceptions import DestinationException
from dlt.common.runtime.run_context import RunContext
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.job_client_impl import SqlJobClientWithStagingDataset
from dlt.pipeline.exceptions import PipelineStepFailed

from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.warehouse.catalog import WarehouseSettings
from headwater.warehouse.pack import DISCARDS
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
_KEYS = {DISCARDS: ("table_name", "row_id", "column_name")}
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


class Loader:
    """One schema of one warehouse, for the time of one load."""

    def __init__(self, settings: WarehouseSettings, schema: str, folder: Path) -> None:
        self._pipeline = dlt.pipeline(
            _PIPELINE,
            pipelines_dir=str(folder),
            destination=dlt.destinations.duckdb(settings.path, naming_convention="direct"),
            dataset_name=schema,
        )

    def read_kinds(self, tables: Sequence[str]) -> dict[str, dict[str, Kind]]:
        """Return the columns that these tables have now; none for a table that is not there."""
        with self._client() as client:
            return {
                table: {
                    name: _KINDS.get(column.get("data_type"), Kind.VARCHAR)
                    for name, column in columns.items()
                }
                for table, columns in client.get_storage_tables(tables)
            }

    def widen(self, table: str, columns: Sequence[str]) -> None:
        """Make integer columns float."""
        if not columns:
            return
        with self._client() as client:
            sql = client.sql_client
            name = sql.make_qualified_table_name(table)
            for column in columns:
                quoted = sql.escape_column_name(column)
                sql.execute_sql(f"ALTER TABLE {name} ALTER COLUMN {quoted} TYPE DOUBLE PRECISION")

    def query(self, sql: str, *values: object) -> pa.Table:
        """Return the answer to a question."""
        with self._client() as client:
            # dlt's own way to Arrow calls a method that DuckDB 2 no longer has.
            found = client.sql_client.native_connection.sql(sql, params=list(values))
            return found.to_arrow_table()

    def merge(self, tables: Mapping[str, pa.Table]) -> None:
        """Put rows into tables, each in one transaction; rows with the same key are replaced."""
        if not tables:
            return
        self._forget()
        self._pipeline.run(
            [
                dlt.resource(
                    [data],
                    name=name,
                    primary_key=_KEYS.get(name, ("id",)),
                    write_disposition={"disposition": "merge", "strategy": "delete-insert"},
                )
                for name, data in tables.items()
            ],
            loader_file_format="parquet",
        )
        self._forget()

    def _forget(self) -> None:
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
def open_loader(settings: WarehouseSettings, schema: str, folder: Path) -> Iterator[Loader]:
    """Give a loader; `folder` is scratch space. Raises `UnavailableError` on engine trouble."""
    if Path(settings.path).stem == schema:
        raise MisconfiguredError(
            f"A DuckDB file and a schema in it cannot both be called {schema!r}.",
            hint="Add the warehouse with another file name.",
        )
    with _ONE_AT_A_TIME:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # Set before dlt makes a context of its own, which would report to its makers.
        Container()[PluggableRunContext] = PluggableRunContext(_Context(folder))
        try:
            yield Loader(settings, schema, folder)
        except (PipelineStepFailed, DestinationException) as err:
            raise UnavailableError(
                f"The warehouse did not take the load: {_root_cause(err)}",
                hint="Close other programs that hold the file; the load is repeated by itself.",
            ) from err
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _root_cause(err: BaseException) -> str:
    while err.__cause__ or err.__context__:
        err = err.__cause__ or err.__context__ or err
    return str(err).splitlines()[0] if str(err) else type(err).__name__
