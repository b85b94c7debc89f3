"""Insert into the analytic store and ask it questions.

In: Arrow tables or lines of JSON with a token; SQL of ours with bound parameters. Out: rows with
aware UTC times, or Arrow tables. Never takes SQL from users: even a read-only chDB handle can read
any file of the host. Times go in as aware datetimes for `{name:DateTime64(6, 'UTC')}`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from headwater.base.errors import HeadwaterError
from headwater.base.settings import EventStoreSettings
from headwater.eventstore.connect import Engine, find_engine
from headwater.eventstore.engine_errors import engine_errors
from headwater.eventstore.handles import Handles
from headwater.eventstore.inserting import InsertSettings, arrow_rows, json_rows
from headwater.eventstore.migrate import migrate, read_steps

_READING_THREADS = 4
# One: a cancelled insert goes on in its thread, and its retry has to wait for it.
_WRITING_THREADS = 1
T = TypeVar("T")
_TO_THE_END = {"mutations_sync": 1, "lightweight_deletes_sync": 1, "insert_deduplicate": 0}


class Answer(NamedTuple):
    """What a question gave, and what it cost."""

    rows: list[dict[str, Any]]
    rows_scanned: int


class EventStore:
    """The one handle on the store; safe to share within the process that opened it."""

    def __init__(self, engine: Engine, owner: Client) -> None:
        self._insert = engine.insert
        self._owner = owner  # an open handle keeps other processes off the path
        self._readers = Handles(engine.open_reader, threads=_READING_THREADS, name="store-read")
        self._writers = Handles(engine.open_writer, threads=_WRITING_THREADS, name="store-write")
        # Of its own: a change may take many seconds, and inserts do not wait for it.
        self._changers = Handles(engine.open_writer, threads=1, name="store-change")

    @classmethod
    def open(
        cls, settings: EventStoreSettings, data: Path, *, stop: HeadwaterError | None = None
    ) -> "EventStore":
        """Connect and migrate; `MisconfiguredError` when another process owns the path.

        `stop` says why tables in use must not be changed now; it is raised if they would be.
        """
        # Arrow loads pandas with its first list, for a second or two: not while calls are waiting.
        pa.array([0])
        engine = find_engine(settings, data)
        owner = engine.open_writer()
        try:
            with engine_errors():
                migrate(owner, read_steps(), stop=stop)
                _keep_ids(owner, settings.dedup_days)
        except BaseException:
            owner.close()
            raise
        return cls(engine, owner)

    async def insert(self, table: str, rows: pa.Table, *, token: str) -> None:
        """Insert once: the same token again adds nothing, in the table and in all its views.

        The token alone decides, so it must always stand for the very same rows.
        """
        await self._writers.run(lambda c: self._insert(c, table, arrow_rows(rows), _once(token)))

    async def insert_lines(self, table: str, lines: bytes, *, token: str) -> None:
        """Insert once, as `insert` does, JSON objects, one a line, that the engine reads."""
        await self._writers.run(lambda c: self._insert(c, table, json_rows(lines), _once(token)))

    async def change(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement that changes stored rows; return when every row is changed.

        It is not remembered as done: only what may happen twice belongs here.
        """
        bound = dict(parameters or {})
        await self._changers.run(lambda c: c.command(sql, parameters=bound, settings=_TO_THE_END))

    async def select(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> list[dict[str, Any]]:
        """Return rows as dicts; `{name:Type}` in the SQL takes `parameters["name"]`."""
        return (await self.select_counted(sql, parameters)).rows

    async def select_counted(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> "Answer":
        """Return rows as `select` does, and how many rows were read for them."""

        def ask(client: Client) -> Answer:
            result = client.query(sql, parameters=dict(parameters or {}))
            rows = _to_dicts(result.column_names, result.result_rows)
            return Answer(rows, int(result.summary.get("read_rows", 0)))

        return await self._readers.run(ask)

    async def select_arrow(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> pa.Table:
        """Return an Arrow table. `DateTime` comes as uint32 there: select `DateTime64` instead."""
        bound = dict(parameters or {})
        return await self._readers.run(lambda c: c.query_arrow(sql, parameters=bound))

    async def select_lines(self, sql: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Return JSON, one object a line, as the engine writes it: for rows that have a type."""
        bound = dict(parameters or {})
        return await self._readers.run(lambda c: c.raw_query(sql, bound, fmt="JSONEachRow"))

    async def select_as(
        self, type_: type[T], sql: str, parameters: Mapping[str, object] | None = None
    ) -> list[T]:
        """Return rows as structs, for many rows: the engine writes JSON, and it is read at once.

        A column goes into the field of its name; a time must be selected by `as_time`.
        """
        bound = dict(parameters or {})

        def ask(client: Client) -> list[T]:
            lines = client.raw_query(sql, bound, fmt="JSONEachRow")
            return msgspec.json.Decoder(type_).decode_lines(lines)

        return await self._readers.run(ask)

    async def check(self) -> None:
        """Prove that reading and writing handles answer; raise `UnavailableError` if not."""
        for handles in (self._readers, self._writers):
            await handles.run(lambda c: c.query("SELECT max(version) FROM schema_versions"))

    def close(self) -> None:
        """Let go of every handle, so that another process (or path) can be opened."""
        self._readers.close()
        self._writers.close()
        self._changers.close()
        self._owner.close()


def as_time(column: str) -> str:
    """Return the SQL of a `DateTime64`, or NULL, that `select_as` reads as an aware UTC time."""
    return f"concat(toString({column}), 'Z')"


def _once(token: str) -> InsertSettings:
    return {
        "insert_deduplication_token": token,
        "insert_deduplicate": 1,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
        "async_insert": 0,
        "max_partitions_per_insert_block": 1_000,
    }


def _keep_ids(client: Client, days: int) -> None:
    """Let ids of calls and actions be known for so long, and no longer."""
    for table in ("call_ids", "action_ids"):
        found = client.command(
            "SELECT engine_full FROM system.tables"
            f" WHERE database = currentDatabase() AND name = '{table}'"
        )
        if f"toIntervalDay({days})" not in str(found):
            client.command(f"ALTER TABLE {table} MODIFY TTL day + toIntervalDay({int(days)})")


def _to_dicts(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    # The embedded engine gives `DateTime` in the host's zone; one zone for all readers.
    return [dict(zip(names, map(_to_utc, row), strict=True)) for row in rows]


def _to_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
