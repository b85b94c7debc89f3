"""Remember which messages are in the log already, in the configuration database.

In: keys of messages, and entries read back from the log. Out: which keys are known. Every key is
written together with the position up to which the log has been read, so that a crash between the
log and this table is repaired by reading on: the log is the truth.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from headwater.base.clock import Clock
from headwater.configdb import Position, write_position
from headwater.configdb.tables import seen_messages
from headwater.eventlog import Entry, Stream, split_records

READER = "tracking"
"""This reader's position keeps the log from forgetting what is not remembered here yet."""

Key = tuple[str, str]
"""Source id and message id: the same message id from two sources is two messages."""


class Mark(msgspec.Struct, frozen=True):
    """The part of a logged message that recognises it."""

    source_id: str
    message_id: str
    received_at: datetime


_decoder = msgspec.json.Decoder(Mark)


def find_seen(connection: sa.Connection, keys: Iterable[Key], since: datetime) -> set[Key]:
    """Return those of `keys` that were received after `since`."""
    by_source: dict[str, list[str]] = {}
    for source_id, message_id in keys:
        by_source.setdefault(source_id, []).append(message_id)
    seen: set[Key] = set()
    for source_id, message_ids in by_source.items():
        found = connection.execute(
            sa.select(seen_messages.c.message_id).where(
                seen_messages.c.source_id == source_id,
                seen_messages.c.message_id.in_(message_ids),
                seen_messages.c.seen_at > since,
            )
        )
        seen.update((source_id, message_id) for message_id in found.scalars())
    return seen


def mark_seen(connection: sa.Connection, clock: Clock, entries: Sequence[Entry]) -> None:
    """Remember the messages of `entries`, and that the log is read up to there."""
    rows = [
        {
            "source_id": mark.source_id,
            "message_id": mark.message_id,
            "log_offset": entry.offset,
            "seen_at": mark.received_at,
        }
        for entry in entries
        for record in split_records(entry.data)
        if (mark := _read(record)) is not None
    ]
    if rows:
        connection.execute(_upsert(connection), rows)
    position = Position(entries[-1].offset + 1)
    write_position(connection, clock, READER, Stream.MESSAGES.value, position)


def _read(record: bytes) -> Mark | None:
    """Return what recognises a message; a record that is damaged stops no door."""
    try:
        return _decoder.decode(record)
    except msgspec.MsgspecError:
        return None


def prune_seen(connection: sa.Connection, clock: Clock, keep: timedelta) -> int:
    """Forget what is older than the window; return how many."""
    old = seen_messages.c.seen_at <= clock.now() - keep
    return connection.execute(seen_messages.delete().where(old)).rowcount


def _upsert(connection: sa.Connection) -> sa.Insert:
    is_sqlite = connection.dialect.name == "sqlite"
    insert = sqlite.insert(seen_messages) if is_sqlite else postgresql.insert(seen_messages)
    return insert.on_conflict_do_update(
        index_elements=[seen_messages.c.source_id, seen_messages.c.message_id],
        set_={"log_offset": insert.excluded.log_offset, "seen_at": insert.excluded.seen_at},
    )
