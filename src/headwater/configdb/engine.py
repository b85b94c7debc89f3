"""Open the configuration database: SQLite beside the data, or PostgreSQL by URL.

In: a URL. Out: transactions, for synchronous callers (`transaction`) and the event loop: `run`, and
`look` for questions that only read. Every write is durable when the transaction ends. Knows no
questions: rooms bring their own.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from headwater.base.errors import UnavailableError
from headwater.base.settings import ConfigDbSettings

T = TypeVar("T")
_BUSY_TIMEOUT_MS = 10_000
_ONLY_READS = "headwater_only_reads"


class ConfigDb:
    """The one handle on configuration; safe to share between threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, settings: ConfigDbSettings, data: Path) -> "ConfigDb":
        """Connect, without migrating."""
        url = settings.url or f"sqlite:///{data / 'config.db'}"
        engine = sa.create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_immediate)
        return cls(engine)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Run a block in one transaction: all of it is durable, or none."""
        with _as_unavailable(), self.engine.begin() as connection:
            yield connection

    async def run(self, question: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call `question(connection, …)` in one transaction on a worker thread."""

        def work() -> T:
            with self.transaction() as connection:
                return question(connection, *args, **kwargs)

        return await asyncio.to_thread(work)

    async def look(self, question: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call a question that only reads, on a worker thread: it never waits for who writes."""

        def work() -> T:
            reading = self.engine.execution_options(**{_ONLY_READS: True})
            with _as_unavailable(), reading.begin() as connection:
                return question(connection, *args, **kwargs)

        return await asyncio.to_thread(work)

    async def overwrite_deleted(self) -> None:
        """Leave nothing of deleted rows in our own files; a server cleans up by itself.

        SQLite overwrites them in its file (`secure_delete`); here its write-ahead log is emptied.
        """
        if self.engine.dialect.name == "sqlite":
            await asyncio.to_thread(self._empty_wal)

    def _empty_wal(self) -> None:
        with _as_unavailable(), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (is_busy, *_) = cursor.fetchone() or (1,)
        if is_busy:
            raise UnavailableError("The configuration database is too busy to be cleaned.")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except OperationalError as err:
        raise UnavailableError(
            f"The configuration database cannot be used: {err.orig}",
            hint="Check free disk space, and that the database server runs.",
        ) from err


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    # A deferred transaction that turns writer late can fail at once with "database is locked".
    only_reads = connection.get_execution_options().get(_ONLY_READS, False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
