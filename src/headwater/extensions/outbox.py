"""Remember every message from the moment it is due until its fate is known.

In: composed messages. Out: batches to send, in the order they were made. A batch is due, sent (on
the wire, answer unknown) or delivered; a message that the endpoint refuses for good leaves its
batch and is dead, listed with the endpoint's word. What entered last about each subject is
remembered, so that a repeated run sends nothing twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import outbox_batches as batches
from headwater.configdb.tables import outbox_windows as windows
from headwater.extensions import dead
from headwater.extensions.contract import Item
from headwater.extensions.packet import Limits, Packet, cut, pack
from headwater.extensions.windows import subject_of

STATES = ("due", "sent", "delivered", "dead")
WAITING = ("due", "sent")
TOO_LARGE = "too_large: more than receivers take, even after trimming"
_QUERY_IDS = 500
_REMEMBER = sa.text(
    "INSERT INTO outbox_windows (connection_id, subject, message_id) "
    "VALUES (:connection_id, :subject, :message_id) "
    "ON CONFLICT (connection_id, subject) DO UPDATE SET message_id = excluded.message_id"
)


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One batch of the outbox, with what it says."""

    id: int
    lot: str
    messages: int
    deflated: bytes
    checksum: int
    size_bytes: int
    created_at: datetime

    @property
    def packet(self) -> Packet:
        return Packet(self.messages, self.deflated, self.checksum, self.size_bytes)


def known_messages(
    connection: sa.Connection, connection_id: str, subjects: Sequence[str]
) -> dict[str, str]:
    """Return the newest message id that entered about each of these subjects."""
    found: dict[str, str] = {}
    for first in range(0, len(subjects), _QUERY_IDS):
        rows = connection.execute(
            sa.select(windows.c.subject, windows.c.message_id).where(
                windows.c.connection_id == connection_id,
                windows.c.subject.in_(subjects[first : first + _QUERY_IDS]),
            )
        )
        found.update((row.subject, row.message_id) for row in rows)
    return found


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs together: the messages of one run, or of one day of a backfill."""

    connection_id: str
    name: str
    at: datetime


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """What came of putting messages in."""

    entered: int
    too_large: int


def put_due(connection: sa.Connection, lot: Lot, items: Iterable[Item], limits: Limits) -> Put:
    """Add messages that are not there yet; too large ones are dead at once."""
    fresh = _only_new(connection, lot.connection_id, items)
    sized = [item for item in fresh if item.payload is not None]
    payloads = [item.payload or b"" for item in sized]
    for part in cut([len(payload) for payload in payloads], limits):
        _insert_batch(connection, lot, pack(payloads[part]))
    remember(connection, lot.connection_id, fresh)
    for item in fresh:
        if item.payload is None:
            dead.bury(
                connection,
                lot.connection_id,
                item.message_id,
                item.user_id,
                None,
                TOO_LARGE,
                lot.at,
            )
    return Put(entered=len(fresh), too_large=len(fresh) - len(sized))


def remember(connection: sa.Connection, connection_id: str, items: Iterable[Item]) -> None:
    """Note what is the newest word about each subject."""
    rows = [
        {"connection_id": connection_id, "subject": item.subject, "message_id": item.message_id}
        for item in items
        if item.subject
    ]
    if rows:
        connection.execute(_REMEMBER, rows)


def _only_new(connection: sa.Connection, connection_id: str, items: Iterable[Item]) -> list[Item]:
    by_id = {item.message_id: item for item in items}
    subjects = sorted({item.subject for item in by_id.values()} - {""})
    known = known_messages(connection, connection_id, subjects)
    return [item for item in by_id.values() if known.get(item.subject) != item.message_id]


def _insert_batch(connection: sa.Connection, lot: Lot, packet: Packet, error: str = "") -> None:
    connection.execute(
        batches.insert().values(
            connection_id=lot.connection_id,
            lot=lot.name,
            state="due",
            messages=packet.items,
            deflated=packet.deflated,
            checksum=packet.checksum,
            size_bytes=packet.size_bytes,
            attempts=0,
            error=error,
            created_at=lot.at,
            delivered_at=None,
        )
    )


def read_waiting(
    connection: sa.Connection, connection_id: str, limit: int, busy: Sequence[int] = ()
) -> list[Batch]:
    """Return the oldest batches whose delivery is not known, in order, but for the `busy` ones.

    All are of the oldest one's lot: an older message about a user never overtakes a newer one.
    """
    places = connection.execute(
        sa.select(batches.c.id, batches.c.lot)
        .where(batches.c.connection_id == connection_id, batches.c.state.in_(WAITING))
        .order_by(batches.c.created_at, batches.c.id)
        .limit(limit + len(busy))
    ).all()
    wanted = [p.id for p in places if p.lot == places[0].lot and p.id not in busy][:limit]
    columns = [batches.c[name] for name in Batch.__struct_fields__]
    question = sa.select(*columns).where(batches.c.id.in_(wanted))
    rows = connection.execute(question.order_by(batches.c.created_at, batches.c.id))
    return [Batch(**row) for row in rows.mappings()]


def read_payloads(connection: sa.Connection, connection_id: str, limit: int) -> list[bytes]:
    """Return the oldest messages whose delivery is not known, in order."""
    ids = connection.execute(
        sa.select(batches.c.id)
        .where(batches.c.connection_id == connection_id, batches.c.state.in_(WAITING))
        .order_by(batches.c.created_at, batches.c.id)
    ).scalars()
    payloads: list[bytes] = []
    for id_ in ids.all():
        if len(payloads) >= limit:
            break
        payloads += _read_batch(connection, id_).packet.payloads()
    return payloads[:limit]


def _read_batch(connection: sa.Connection, batch_id: int) -> Batch:
    columns = [batches.c[name] for name in Batch.__struct_fields__]
    question = sa.select(*columns).where(batches.c.id == batch_id)
    return Batch(**connection.execute(question).mappings().one())


def take(
    connection: sa.Connection, connection_id: str, limit: int, busy: Sequence[int] = ()
) -> list[Batch]:
    """Return the next batches to send, and write down that they are on the wire."""
    found = read_waiting(connection, connection_id, limit, busy)
    values = {"state": "sent", "attempts": batches.c.attempts + 1}
    connection.execute(_change([batch.id for batch in found]).values(values))
    return found


def mark_due(connection: sa.Connection, ids: Sequence[int], error: str) -> None:
    """They have to be sent again."""
    connection.execute(_change(ids).values(state="due", error=error))


def settle(
    connection: sa.Connection,
    connection_id: str,
    batch: Batch,
    rejected: Mapping[int, str],
    at: datetime,
) -> None:
    """The endpoint has the batch, but for those it rejected; what it said need not be kept."""
    if rejected:
        payloads = batch.packet.payloads()
        for place, reason in rejected.items():
            dead.bury_payload(connection, connection_id, payloads[place], reason, batch.created_at)
    values = {
        "state": "delivered",
        "messages": batch.messages - len(rejected),
        "deflated": None,
        "error": "",
        "delivered_at": at,
    }
    connection.execute(_change([batch.id]).values(values))


def halve(connection: sa.Connection, connection_id: str, batch: Batch, error: str) -> None:
    """Make two batches of one that was refused as a whole; alone, its message is dead."""
    payloads = batch.packet.payloads()
    if len(payloads) == 1:
        dead.bury_payload(connection, connection_id, payloads[0], error, batch.created_at)
    else:
        middle = len(payloads) // 2
        lot = Lot(connection_id=connection_id, name=batch.lot, at=batch.created_at)
        for half in (payloads[:middle], payloads[middle:]):
            _insert_batch(connection, lot, pack(half), error)
    connection.execute(batches.delete().where(batches.c.id == batch.id))


def revive_dead(
    connection: sa.Connection, lot: Lot, limits: Limits, message_ids: Sequence[str] = ()
) -> int:
    """Make refused messages due again, these or all; too large ones stay; return how many."""
    revived = 0
    while payloads := dead.take_dead(connection, lot.connection_id, message_ids, _QUERY_IDS):
        for part in cut([len(payload) for payload in payloads], limits):
            _insert_batch(connection, lot, pack(payloads[part]))
        revived += len(payloads)
    return revived


def count_states(connection: sa.Connection, connection_id: str) -> dict[str, int]:
    """Return how many messages are in each state."""
    rows = connection.execute(
        sa.select(batches.c.state, sa.func.sum(batches.c.messages))
        .where(batches.c.connection_id == connection_id)
        .group_by(batches.c.state)
    )
    counts = dict.fromkeys(STATES, 0)
    for state, count in rows:
        counts[state] = int(count)
    counts["dead"] = dead.count_dead(connection, connection_id)
    return counts


def has_waiting(connection: sa.Connection, connection_id: str) -> bool:
    """Tell whether anything is to be sent."""
    question = (
        sa.select(batches.c.id)
        .where(batches.c.connection_id == connection_id, batches.c.state.in_(WAITING))
        .limit(1)
    )
    return connection.execute(question).first() is not None


def forget_delivered(connection: sa.Connection, connection_id: str, before: datetime) -> None:
    """Drop the count of batches that were delivered long ago."""
    connection.execute(
        batches.delete().where(
            batches.c.connection_id == connection_id,
            batches.c.state == "delivered",
            batches.c.created_at < before,
        )
    )


def drop_user(connection: sa.Connection, connection_id: str, user_id: str) -> None:
    """Forget one user: what waits, what was refused, what was remembered."""
    ids = connection.execute(
        sa.select(batches.c.id).where(
            batches.c.connection_id == connection_id, batches.c.state.in_(WAITING)
        )
    ).scalars()
    for id_ in ids.all():
        _drop_from_batch(connection, id_, user_id)
    dead.drop_dead(connection, connection_id, user_id)
    connection.execute(
        windows.delete().where(
            windows.c.connection_id == connection_id, windows.c.subject == subject_of(user_id)
        )
    )


def _drop_from_batch(connection: sa.Connection, batch_id: int, user_id: str) -> None:
    payloads = _read_batch(connection, batch_id).packet.payloads()
    kept = [payload for payload in payloads if dead.user_of(payload) != user_id]
    if len(kept) == len(payloads):
        return
    if not kept:
        connection.execute(batches.delete().where(batches.c.id == batch_id))
        return
    packet = pack(kept)
    values = {
        "messages": packet.items,
        "deflated": packet.deflated,
        "checksum": packet.checksum,
        "size_bytes": packet.size_bytes,
    }
    connection.execute(_change([batch_id]).values(values))


def drop_all(connection: sa.Connection, connection_id: str) -> None:
    """Forget what waits and what was refused: it was meant for another target."""
    connection.execute(
        batches.delete().where(
            batches.c.connection_id == connection_id, batches.c.state.in_(WAITING)
        )
    )
    dead.drop_dead(connection, connection_id)


def _change(ids: Sequence[int]) -> sa.Update:
    return batches.update().where(batches.c.id.in_(ids))
