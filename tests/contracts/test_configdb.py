"""The configuration database: the same promises on SQLite and on PostgreSQL."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import alembic.autogenerate
import alembic.command
import pytest
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from headwater.base.clock import SystemClock
from headwater.base.errors import MisconfiguredError
from headwater.base.settings import ConfigDbSettings
from headwater.configdb import (
    ConfigDb,
    Position,
    is_current,
    lowest_next_offset,
    migrate,
    read_position,
    write_position,
)
from headwater.configdb.migrate import alembic_config
from headwater.configdb.tables import metadata, positions
from tests.support.postgres import fresh_database_url

CLOCK = SystemClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ConfigDb]:
    """An empty database of each kind."""
    url = fresh_database_url() if request.param == "postgresql" else ""
    opened = ConfigDb.open(ConfigDbSettings(url=url), tmp_path)
    yield opened
    opened.close()


def test_migrations_make_the_tables_that_the_code_names(db: ConfigDb) -> None:
    """After `migrate` the database and tables.py do not differ; a second run changes nothing."""
    assert not is_current(db)
    assert migrate(db) == migrate(db)
    assert is_current(db)

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert alembic.autogenerate.compare_metadata(context, metadata) == []


def test_a_newer_database_is_refused(db: ConfigDb) -> None:
    """Going back a version never damages data: it says so and stops."""
    migrate(db)
    with db.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(MisconfiguredError, match="newer"):
        migrate(db)


def test_a_failed_transaction_leaves_nothing(db: ConfigDb) -> None:
    """All of a block, or none of it."""
    migrate(db)

    def begin_and_fail() -> None:
        with db.transaction() as connection:
            write_position(connection, CLOCK, "reader", "calls", Position(5))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin_and_fail()

    with db.transaction() as connection:
        assert read_position(connection, "reader") is None


def test_positions_remember_what_was_begun(db: ConfigDb) -> None:
    """A reader finds its next offset and its unfinished range; the slowest one is known."""
    migrate(db)
    with db.transaction() as connection:
        write_position(connection, CLOCK, "slow", "calls", Position(3, (3, 9)))
        write_position(connection, CLOCK, "fast", "calls", Position(10))
        write_position(connection, CLOCK, "fast", "calls", Position(12))
        write_position(connection, CLOCK, "other", "messages", Position(1))

    with db.transaction() as connection:
        assert Position(3, (3, 9)) == read_position(connection, "slow")
        assert lowest_next_offset(connection, "calls") == 3
        assert lowest_next_offset(connection, "nothing") is None
        times = connection.execute(sa.select(positions.c.updated_at)).scalars().all()
        assert all(at is not None and at.tzinfo is not None for at in times)


def test_writers_wait_for_each_other(db: ConfigDb) -> None:
    """Many threads that write at once all succeed."""
    migrate(db)
    finished: list[str] = []

    def write(name: str) -> None:
        for offset in range(20):
            with db.transaction() as connection:
                write_position(connection, CLOCK, name, "calls", Position(offset))
        finished.append(name)

    threads = [threading.Thread(target=write, args=(f"reader {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(finished) == 4


def test_a_batch_that_is_half_stored_is_finished_by_the_version_that_began_it(db: ConfigDb) -> None:
    """Nothing is changed before; afterwards the migration runs, and a new start never waits."""
    config = alembic_config()
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")
        connection.commit()
    with db.transaction() as connection:
        write_position(connection, CLOCK, "ingest", "calls", Position(5, (5, 9)))
    with pytest.raises(MisconfiguredError, match="in the middle of a batch"):
        migrate(db)
    with db.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0001"
    with db.transaction() as connection:
        write_position(connection, CLOCK, "ingest", "calls", Position(10))
    migrate(db)
    with db.transaction() as connection:
        write_position(connection, CLOCK, "ingest", "calls", Position(10, (10, 11)))
    migrate(db)
    assert is_current(db)


async def test_who_only_reads_waits_for_nobody(db: ConfigDb) -> None:
    """A transaction that writes holds no reader up; what it wrote is not seen before its end."""
    migrate(db)
    with db.transaction() as connection:
        write_position(connection, CLOCK, "slow", "calls", Position(7))
        assert await asyncio.wait_for(db.look(read_position, "slow"), 5) is None
    assert await db.look(read_position, "slow") == Position(7)
