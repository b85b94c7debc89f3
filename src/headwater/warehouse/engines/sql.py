"""What engines that speak SQL have in common: columns are read, made and widened alike.

In: statements for one schema. Out: what the port promises. Every name is quoted and holds nothing
but [a-z0-9_]; every value is bound. How rows travel, how a table is written in one step and what
the newest value is called differ, and are each engine's own.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa

from headwater.base.crash import crash_point
from headwater.warehouse.engines.port import Columns
from headwater.warehouse.latest import Latest, outgrown, state_columns
from headwater.warehouse.pack import DISCARDS, kind_of_arrow
from headwater.warehouse.types import Kind

_SPOKEN = (
    (re.compile(r"timestamp|date"), Kind.TIMESTAMP),
    (re.compile(r"u?(tiny|small|big|huge)?int(eger)?\d*$"), Kind.INTEGER),
    (re.compile(r"double|real|float|numeric|decimal"), Kind.FLOAT),
    (re.compile(r"bool"), Kind.BOOLEAN),
)
_WRAPPED = re.compile(r"(?:low_?cardinality|nullable)\(|\)+$")


def quote(name: str) -> str:
    """Return a name as SQL takes it."""
    return f'"{name}"'


def names(columns: Iterable[str], of: str = "") -> str:
    """Return quoted names with commas between, each of the table `of`."""
    return ", ".join(f"{of}{quote(column)}" for column in columns)


def kind_of_type(spoken: str) -> Kind:
    """Return our type for a database's word; what is none of ours is taken for text."""
    plain = _WRAPPED.sub("", spoken.lower())
    return next((kind for word, kind in _SPOKEN if word.match(plain)), Kind.VARCHAR)


class SqlEngine(ABC):
    """One schema of a database that speaks SQL."""

    types: ClassVar[Mapping[Kind, str]]
    any_of: ClassVar[str]
    """A condition that holds for each of the bound texts."""
    wide: ClassVar[str] = "ALTER COLUMN {column} TYPE DOUBLE PRECISION"
    holds_schema: ClassVar[str] = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '{schema}'"
    make_schema: ClassVar[str] = "CREATE SCHEMA {schema}"

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self.spoken: dict[tuple[str, str], str] = {}
        """The database's own words for the types of columns, by table and column, as last read."""

    @abstractmethod
    def run(self, sql: str, *values: object) -> None:
        """Execute one statement."""

    @abstractmethod
    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of an answer."""

    @abstractmethod
    def alone(self, table: str) -> AbstractContextManager[None]:
        """Do what is inside in one step where the database can; translate errors."""

    @abstractmethod
    def replace(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        """Put rows into a table that has all their columns."""

    @abstractmethod
    def write_states(
        self, latest: Latest, columns: Sequence[str], touched: str, loaded_at: datetime
    ) -> None:
        """Put the states of the touched into their table, which has all columns."""

    @abstractmethod
    def touch(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> str:
        """Return a query for the ids of `subjects`."""

    def name(self, table: str) -> str:
        """Return the full name of a table."""
        return f"{quote(self.schema)}.{quote(table)}"

    def check(self) -> None:
        with self.alone(""):
            self.ask("SELECT 1")

    def list_tables(self) -> list[str]:
        with self.alone(""):
            rows = self.ask(
                "SELECT table_name FROM information_schema.tables "
                f"WHERE table_schema = '{self.schema}' AND table_type = 'BASE TABLE' "
                "ORDER BY table_name"
            )
        return [str(row[0]) for row in rows if not str(row[0]).startswith("_dlt_")]

    def read_columns(self, tables: Sequence[str]) -> dict[str, Columns]:
        with self.alone(""):
            return self._columns(tables)

    def _columns(self, tables: Sequence[str]) -> dict[str, Columns]:
        found: dict[str, Columns] = {table: {} for table in tables}
        if not tables:
            return found
        wanted = ", ".join(f"'{table}'" for table in tables)
        for table, column, spoken in self.ask(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            f"WHERE table_schema = '{self.schema}' AND table_name IN ({wanted}) "
            "ORDER BY table_name, ordinal_position"
        ):
            found[table][column] = kind_of_type(spoken)
            self.spoken[table, column] = spoken
        return found

    def widen(self, table: str, columns: Sequence[str]) -> None:
        if columns:
            with self.alone(table):
                self._widen(table, columns)

    def _widen(self, table: str, columns: Sequence[str]) -> None:
        for column in columns:
            self.run(f"ALTER TABLE {self.name(table)} {self.wide.format(column=quote(column))}")

    def merge(self, table: str, data: pa.Table, keys: Sequence[str]) -> None:
        with self.alone(table):
            kinds = {field.name: kind_of_arrow(field.type) for field in data.schema}
            self._prepare(table, kinds, keys)
            self.replace(table, data, keys)

    def _prepare(self, table: str, kinds: Columns, keys: Sequence[str]) -> None:
        existing = self._columns([table])[table]
        if not existing:
            if not self.ask(self.holds_schema.format(schema=self.schema)):
                self.run(self.make_schema.format(schema=quote(self.schema)))
            self.create(table, kinds, keys)
            return
        for column, kind in kinds.items():
            if column not in existing:
                spoken = self.types[kind]
                self.run(f"ALTER TABLE {self.name(table)} ADD COLUMN {quote(column)} {spoken}")

    def create(self, table: str, kinds: Columns, keys: Sequence[str]) -> None:
        """Make a table."""
        del keys
        columns = ", ".join(f"{quote(name)} {self.types[kind]}" for name, kind in kinds.items())
        self.run(f"CREATE TABLE {self.name(table)} ({columns})")

    def fold(self, latest: Latest, subjects: pa.Array, loaded_at: datetime) -> None:
        with self.alone(latest.table):
            both = self._columns([latest.calls, latest.table])
            calls, existing = both[latest.calls], both[latest.table]
            touched = self.touch(latest, subjects, loaded_at)
            states = state_columns(calls)
            new = self._having_values(latest, [c for c in states if c not in existing], touched)
            kinds = {c: kind for c, kind in states.items() if c in existing or c in new}
            fixed = {"id": Kind.VARCHAR, "uuid_ts": Kind.TIMESTAMP}
            self._prepare(latest.table, fixed | kinds, ("id",))
            self._widen(latest.table, outgrown(existing, calls))
            self.write_states(latest, list(kinds), touched, loaded_at)

    def _having_values(self, latest: Latest, columns: Sequence[str], touched: str) -> set[str]:
        """Return the columns that hold something: a column is made by a value, not by a null."""
        if not columns:
            return set()
        counts = ", ".join(f"count({quote(column)})" for column in columns)
        (row,) = self.ask(
            f"SELECT {counts} FROM {self.name(latest.calls)} "
            f"WHERE {quote(latest.key)} IN ({touched})"
        )
        return {column for column, count in zip(columns, row, strict=True) if count}

    def forget(
        self, table: str, marks: Sequence[str], user_ids: Sequence[str], *, discards: bool
    ) -> dict[str, int]:
        whose = " OR ".join(f"{quote(mark)} {self.any_of}" for mark in marks)
        values = [list(user_ids)] * len(marks)
        theirs = f"SELECT id FROM {self.name(table)} WHERE {whose}"
        counts: dict[str, int] = {}
        with self.alone(table):
            if discards:
                lost = f"table_name = '{table}' AND row_id IN ({theirs})"
                counts[DISCARDS] = self.delete(DISCARDS, lost, *values)
            crash_point("warehouse.forgetting")
            counts[table] = self.delete(table, whose, *values)
        return counts

    def delete(self, table: str, where: str, *values: object) -> int:
        """Delete rows; return how many."""
        ((count,),) = self.ask(f"SELECT count(*) FROM {self.name(table)} WHERE {where}", *values)
        if count:
            self.run(f"DELETE FROM {self.name(table)} WHERE {where}", *values)
        return int(count)
