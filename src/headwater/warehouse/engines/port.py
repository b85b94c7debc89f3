"""Say what an engine can do, and open the one that settings ask for.

In: settings, a schema's name, a scratch directory. Out: an `Engine`. Every engine keeps the same
three promises: a table is written in one step that others see whole or not at all; writing the same
rows again changes nothing; the warehouse itself is asked what columns it has, so that whatever
people did by hand is respected. Errors are of two kinds: of one table (`TableError`), and of the
whole warehouse (`UnavailableError`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol

import msgspec
import pyarrow as pa

from headwater.base.errors import HeadwaterError, MisconfiguredError, Transient
from headwater.warehouse.catalog import CATALOG
from headwater.warehouse.latest import Latest
from headwater.warehouse.settings import WarehouseSettings
from headwater.warehouse.types import Kind

Columns = dict[str, Kind]


class TableError(HeadwaterError, Transient):
    """One table could not be written; the others can."""

    code = "table_not_loaded"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a database can hold."""

    identifier_bytes: int = 127
    columns: int = 2_000
    """Of one table; what is over goes to `_discards`."""
    earliest: datetime = datetime(1, 1, 1, tzinfo=UTC)
    latest: datetime = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


class Engine(Protocol):
    """One schema of one warehouse, for the time of one load."""

    def check(self) -> None:
        """Prove that the warehouse answers and lets us in; changes nothing."""
        ...

    def list_tables(self) -> list[str]:
        """Return the names of our tables in the schema."""
        ...

    def read_columns(self, tables: Sequence[str]) -> dict[str, Columns]:
        """Return the columns that these tables have now; none for a table that is not there."""
        ...

    def widen(self, table: str, columns: Sequence[str]) -> None:
        """Make integer columns float."""
        ...

    def merge(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        """Put rows into a table, in one step; rows with the same keys are replaced."""
        ...

    def fold(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> None:
        """Write the latest states of `subjects`, whose calls were just merged.

        `loaded_at` is the `uuid_ts` of those calls.
        """
        ...

    def forget(
        self, table: str, marks: Sequence[str], user_ids: Sequence[str], *, discards: bool
    ) -> dict[str, int]:
        """Delete the rows that name one of these users in one of the columns `marks`.

        `discards`: there is a table of them, and what it holds of these rows goes first. Returns
        how many rows went, by table.
        """
        ...


LIMITS: Mapping[str, Limits] = {
    "duckdb": Limits(),
    # A table may have 1,600, and those that were dropped count.
    "postgres": Limits(identifier_bytes=63, columns=1_500),
    "clickhouse": Limits(
        columns=1_000,
        earliest=datetime(1900, 1, 1, tzinfo=UTC),
        latest=datetime(2299, 12, 31, 23, 59, 59, 999_999, UTC),
    ),
    "filesystem": Limits(),
    "bigquery": Limits(columns=10_000),
    "snowflake": Limits(),
    "redshift": Limits(columns=1_500),
    "databricks": Limits(),
}
_MODULES = {
    "duckdb": "duck", "postgres": "postgres", "clickhouse": "clickhouse", "filesystem": "parquet",
}  # fmt: skip


def type_of(settings: WarehouseSettings) -> str:
    """Return the type that settings belong to."""
    return next(entry.type for entry in CATALOG if isinstance(settings, entry.shape))


def limits_of(settings: WarehouseSettings) -> Limits:
    """Return what the warehouse can hold."""
    return LIMITS[type_of(settings)]


@contextmanager
def open_engine(
    settings: WarehouseSettings, schema: str, folder: Path, load: str = ""
) -> Iterator[Engine]:
    """Give an engine; `folder` is scratch space.

    `load` names the load among all loads of its warehouse, the same when it is repeated.
    """
    type_ = type_of(settings)
    try:
        module = import_module(f"headwater.warehouse.engines.{_MODULES.get(type_, 'clouds')}")
    except ImportError as err:
        extra = next(entry.extra for entry in CATALOG if entry.type == type_)
        raise MisconfiguredError(
            f"What speaks to a warehouse of type {type_} is not installed: {err.name}.",
            hint=f"pip install 'headwater[{extra}]'",
        ) from err
    with module.open_it(settings, schema, folder, load) as engine:
        yield engine
