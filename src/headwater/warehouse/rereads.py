"""Remember which parts of the log a warehouse has to read once more.

In: a connection to the configuration database. Out: rereads, each with a place in the log of its
own, which also keeps the log from being trimmed. Two reasons: a table that could not be loaded is
parked and caught up with when it can be loaded again; and somebody asked for a backfill.
"""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.ids import new_id
from headwater.configdb import Position, forget_reader, write_position
from headwater.configdb.tables import warehouse_rereads
from headwater.eventlog import Stream


class Reread(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the log to read again."""

    id: str
    warehouse_id: str
    source_id: str | None
    """None: all that the warehouse loads."""
    table_name: str
    """The parked table; empty: all tables, it is a backfill."""
    last_offset: int | None
    """None: as far as the warehouse itself has come."""
    error: str
    begun_at: datetime

    @property
    def reader(self) -> str:
        """Its name among the readers of the log."""
        return f"warehouse:{self.warehouse_id}:{self.id}"

    @property
    def is_backfill(self) -> bool:
        return not self.table_name


def begin_reread(
    connection: sa.Connection,
    clock: Clock,
    warehouse_id: str,
    first_offset: int,
    *,
    source_id: str | None = None,
    table_name: str = "",
    last_offset: int | None = None,
    error: str = "",
) -> Reread:
    """Remember that a part of the log, from an offset on, has to be read again."""
    reread = Reread(
        id=new_id("rr"),
        warehouse_id=warehouse_id,
        source_id=source_id,
        table_name=table_name,
        last_offset=last_offset,
        error=error,
        begun_at=clock.now(),
    )
    connection.execute(warehouse_rereads.insert().values(msgspec.structs.asdict(reread)))
    place = Position(next_offset=first_offset)
    write_position(connection, clock, reread.reader, Stream.MESSAGES, place)
    return reread


def list_rereads(connection: sa.Connection, warehouse_id: str) -> list[Reread]:
    """Return what a warehouse has to read again, parked tables first, oldest first."""
    rows = connection.execute(
        sa.select(warehouse_rereads)
        .where(warehouse_rereads.c.warehouse_id == warehouse_id)
        .order_by(warehouse_rereads.c.begun_at, warehouse_rereads.c.id)
    )
    found = [Reread(**row) for row in rows.mappings()]
    return sorted(found, key=lambda reread: reread.is_backfill)


def note_error(connection: sa.Connection, reread: Reread, error: str) -> None:
    """Remember why it could not be done this time."""
    connection.execute(
        warehouse_rereads.update().where(warehouse_rereads.c.id == reread.id).values(error=error)
    )


def end_reread(connection: sa.Connection, reread: Reread) -> None:
    """Forget it: it is done, or nobody wants it any more."""
    connection.execute(warehouse_rereads.delete().where(warehouse_rereads.c.id == reread.id))
    forget_reader(connection, reread.reader)
