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
from headwater.configdb.tables import outbox_dead as dead
from headwater.configdb.tables import outbox_windows as windows
from headwater.extensions.contract import Item
from headwater.extensions.packet import Limits, Packet, cut, pack

STATES = ("due", "sent", "delivered", "dead")
WAITING = ("due", "sent")
TOO_LARGE = "too_large: more than 32 KB even after trimming"
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


class DeadItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message that will not be sent again by itself, and why."""

    message_id: str
    user_id: str
    error: str
    created_at: datetime


class _Named(msgspec.Struct, rename="camel"):
    message_id: str
    user_id: str = ""


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
    remembered = [
        {"connection_id": lot.connection_id, "subject": i.subject, "message_id": i.message_id}
        for i in fresh
        if i.subject
    ]
    if remembered:
        connection.execute(_REMEMBER, remembered)
    for item in fresh:
        if item.payload is None:
            _bury(connection, lot.connection_id, item, TOO_LARGE, lot.at)
    return Put(entered=len(fresh), too_large=len(fresh) - len(sized))


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
        columns = [batches.c[name] for name in Batch.__struct_fields__]
        row = connection.execute(sa.select(*columns).where(batches.c.id == id_)).mappings().one()
        payloads += Batch(**row).packet.payloads()
    return payloads[:limit]


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
            _bury_payload(connection, connection_id, payloads[place], reason, batch.created_at)
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
        _bury_payload(connection, connection_id, payloads[0], error, batch.created_at)
    else:
        middle = len(payloads) // 2
        lot = Lot(connection_id=connection_id, name=batch.lot, at=batch.created_at)
        for half in (payloads[:middle], payloads[middle:]):
            _insert_batch(connection, lot, pack(half), error)
    connection.execute(batches.delete().where(batches.c.id == batch.id))


def _bury_payload(
    connection: sa.Connection, connection_id: str, payload: bytes, error: str, at: datetime
) -> None:
    named = msgspec.json.decode(payload, type=_Named)
    item = Item(message_id=named.message_id, user_id=named.user_id, subject="", payload=payload)
    _bury(connection, connection_id, item, error, at)


def _bury(
    connection: sa.Connection, connection_id: str, item: Item, error: str, at: datetime
) -> None:
    key = {"connection_id": connection_id, "message_id": item.message_id}
    connection.execute(dead.delete().where(*(dead.c[name] == key[name] for name in key)))
    connection.execute(
        dead.insert().values(
            **key, user_id=item.user_id, payload=item.payload, error=error, created_at=at
        )
    )


def revive_dead(
    connection: sa.Connection, lot: Lot, limits: Limits, message_ids: Sequence[str] = ()
) -> int:
    """Make refused messages due again, these or all; too large ones stay; return how many."""
    where = [dead.c.connection_id == lot.connection_id, dead.c.payload.is_not(None)]
    if message_ids:
        where.append(dead.c.message_id.in_(message_ids))
    question = sa.select(dead.c.message_id, dead.c.payload).where(*where)
    revived = 0
    while rows := connection.execute(question.limit(_QUERY_IDS)).all():
        payloads = [row.payload for row in rows]
        for part in cut([len(payload) for payload in payloads], limits):
            _insert_batch(connection, lot, pack(payloads[part]))
        ids = [row.message_id for row in rows]
        connection.execute(dead.delete().where(*where, dead.c.message_id.in_(ids)))
        revived += len(rows)
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
    refused = sa.select(sa.func.count()).where(dead.c.connection_id == connection_id)
    counts["dead"] = connection.execute(refused).scalar_one()
    return counts


def has_waiting(connection: sa.Connection, connection_id: str) -> bool:
    """Tell whether anything is to be sent."""
    question = (
        sa.select(batches.c.id)
        .where(batches.c.connection_id == connection_id, batches.c.state.in_(WAITING))
        .limit(1)
    )
    return connection.execute(question).first() is not None


def read_dead(connection: sa.Connection, connection_id: str, limit: int) -> list[DeadItem]:
    """Return the newest refused messages."""
    columns = [dead.c[name] for name in DeadItem.__struct_fields__]
    rows = connection.execute(
        sa.select(*columns)
        .where(dead.c.connection_id == connection_id)
        .order_by(dead.c.created_at.desc(), dead.c.message_id)
        .limit(limit)
    )
    return [DeadItem(**row) for row in rows.mappings()]


def forget_delivered(connection: sa.Connection, connection_id: str, before: datetime) -> None:
    """Drop the count of batches that were delivered long ago."""
    connection.execute(
        batches.delete().where(
            batches.c.connection_id == connection_id,
            batches.c.state == "delivered",
            batches.c.created_at < before,
        )
    )


def drop_all(connection: sa.Connection, connection_id: str) -> None:
    """Forget what waits and what was refused: it was meant for another target."""
    connection.execute(
        batches.delete().where(
            batches.c.connection_id == connection_id, batches.c.state.in_(WAITING)
        )
    )
    connection.execute(dead.delete().where(dead.c.connection_id == connection_id))


def _change(ids: Sequence[int]) -> sa.Update:
    return batches.update().where(batches.c.id.in_(ids))
