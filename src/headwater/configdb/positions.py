"""Remember how far each reader of the log has come.

In: a reader's name. Out: its position. A pending range is written down before the first attempt, so
that a retry after a crash works on the very same entries.
"""

from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import MisconfiguredError
from headwater.configdb.tables import positions

_INGEST = "ingest"


class Position(msgspec.Struct, frozen=True):
    """`next_offset` was not read yet; `pending` is a range begun but not known to be finished."""

    next_offset: int
    pending: tuple[int, int] | None = None


def read_position(connection: sa.Connection, reader: str) -> Position | None:
    """Return where the reader is, or None if it never read."""
    row = connection.execute(sa.select(positions).where(positions.c.reader == reader)).one_or_none()
    return None if row is None else _position(row)


def read_positions(connection: sa.Connection) -> dict[str, tuple[str, Position]]:
    """Return every reader's stream and position, by reader."""
    rows = connection.execute(sa.select(positions).order_by(positions.c.reader))
    return {row.reader: (row.stream, _position(row)) for row in rows}


def _position(row: sa.Row[Any]) -> Position:
    pending = None if row.pending_first is None else (row.pending_first, row.pending_last)
    return Position(row.next_offset, pending)


def why_not_to_migrate(connection: sa.Connection) -> MisconfiguredError | None:
    """Return the reason when a batch is half stored: tables as they were know its retry again."""
    if not sa.inspect(connection).has_table(positions.name):
        return None
    position = read_position(connection, _INGEST)
    if position is None or position.pending is None:
        return None
    return MisconfiguredError(
        "Ingest was stopped in the middle of a batch; the version that began it must finish it.",
        hint="Start the version of before, let it catch up, stop it with SIGTERM, then start this"
        " one. Nothing was changed.",
    )


def write_position(
    connection: sa.Connection, clock: Clock, reader: str, stream: str, position: Position
) -> None:
    """Store where the reader is."""
    first, last = position.pending or (None, None)
    values = {
        "stream": stream,
        "next_offset": position.next_offset,
        "pending_first": first,
        "pending_last": last,
        "updated_at": clock.now(),
    }
    changed = connection.execute(
        positions.update().where(positions.c.reader == reader).values(values)
    )
    if changed.rowcount == 0:
        connection.execute(positions.insert().values(reader=reader, **values))


def lowest_next_offset(
    connection: sa.Connection, stream: str, without: str | None = None
) -> int | None:
    """Return the offset that the slowest reader of `stream` needs next; None without readers.

    Readers whose names begin with `without` do not count.
    """
    query = sa.select(sa.func.min(positions.c.next_offset)).where(positions.c.stream == stream)
    if without is not None:
        query = query.where(~positions.c.reader.startswith(without, autoescape=True))
    lowest = connection.execute(query).scalar_one_or_none()
    return None if lowest is None else int(lowest)


def forget_reader(connection: sa.Connection, reader: str) -> None:
    """Remove a reader, so that it holds the log back no longer."""
    connection.execute(positions.delete().where(positions.c.reader == reader))
