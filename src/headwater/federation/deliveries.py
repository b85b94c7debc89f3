"""Keep what could not be delivered at once: to be tried again, or dead and replayable.

In: a connection to the configuration database. Out: rows of `deliveries`. Delivered messages leave
no row. A million rows may wait: nothing here reads more than a bounded number of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.configdb.tables import deliveries, delivery_samples, destinations
from headwater.destinations import get_destination
from headwater.federation.waiting import Waiting, previous_id, user_key
from headwater.model import Message

_MOST_ERROR_CHARACTERS = 1_000
_QUERY_KEYS = 500
"""Databases take only so many parameters in one question."""
_ROW = (
    "destination_id", "message_id", "state", "message", "attempts", "first_tried_at",
    "next_attempt_at", "status", "error", "error_class", "user_key", "place", "previous_id",
)  # fmt: skip
_PUT = sa.text(
    f"INSERT INTO deliveries ({', '.join(_ROW)}) VALUES (:{', :'.join(_ROW)}) "
    "ON CONFLICT (destination_id, message_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _ROW[2:])
).bindparams(
    sa.bindparam("first_tried_at", type_=deliveries.c.first_tried_at.type),
    sa.bindparam("next_attempt_at", type_=deliveries.c.next_attempt_at.type),
)
_ALTER = (
    deliveries.update()
    .where(
        deliveries.c.destination_id == sa.bindparam("of_destination"),
        deliveries.c.message_id == sa.bindparam("of_message"),
    )
    .values(
        {
            name: sa.bindparam(name)
            for name in ("state", "attempts", "next_attempt_at", "status", "error", "error_class")
        }
    )
)


class Change(msgspec.Struct):
    """What a write does to the rows of one destination."""

    new: list[Waiting] = []
    changed: list[Waiting] = []
    """They had a row; where somebody removed it meanwhile, it stays removed."""
    gone: list[str] = []
    """Ids of messages whose rows are done with."""


def store(connection: sa.Connection, destination_id: str, change: Change) -> None:
    """Forget what is done and keep what waits."""
    for ids in _chunks(change.gone):
        connection.execute(_mine(deliveries.delete(), destination_id, "message_id", ids))
    if change.new:
        rows = {one.message.message_id: _row(destination_id, one) for one in change.new}
        connection.execute(_PUT, list(rows.values()))
    if change.changed:
        connection.execute(_ALTER, [_alteration(destination_id, one) for one in change.changed])


def due_deliveries(
    connection: sa.Connection,
    clock: Clock,
    destination_id: str,
    limit: int,
) -> list[Waiting]:
    """Return messages whose next attempt is due, the longest waiting first.

    Behind each come those that it holds back, in the order of the log.
    """
    waits = _waiting(destination_id)
    heads = connection.execute(
        sa.select(deliveries)
        .where(*waits, deliveries.c.next_attempt_at <= clock.now())
        .order_by(deliveries.c.next_attempt_at)
        .limit(limit)
    )
    found = [read_row(row) for row in heads]
    keys = list({user_key(one.message) for one in found})
    for some in _chunks(keys if len(found) < limit else keys[:1]):
        behind = connection.execute(
            sa.select(deliveries)
            .where(*waits, deliveries.c.user_key.in_(some), deliveries.c.next_attempt_at.is_(None))
            .order_by(deliveries.c.place)
            .limit(limit)
        )
        found += [read_row(row) for row in behind]
    return sorted(found, key=lambda one: one.place)


def held_keys(connection: sa.Connection, destination_id: str, keys: Sequence[str]) -> set[str]:
    """Return those of these users who have a message that waits."""
    held: set[str] = set()
    for some in _chunks(keys):
        held.update(
            connection.execute(
                sa.select(deliveries.c.user_key)
                .where(*_waiting(destination_id), deliveries.c.user_key.in_(some))
                .distinct()
            ).scalars()
        )
    return held


def free_heads(
    connection: sa.Connection, destination_id: str, keys: Sequence[str], now: datetime
) -> None:
    """Let the first waiting message of each of these users be due, if nothing else is."""
    table = deliveries.c
    for some in _chunks(keys):
        waits = (*_waiting(destination_id), table.user_key.in_(some))
        first = sa.select(sa.func.min(table.place)).where(*waits).group_by(table.user_key)
        connection.execute(
            deliveries.update()
            .where(*waits, table.place.in_(first), table.next_attempt_at.is_(None))
            .values(next_attempt_at=now)
        )


def free_all(connection: sa.Connection, destination_id: str, now: datetime) -> None:
    """Let everything be due that waits for an earlier message."""
    connection.execute(
        deliveries.update()
        .where(*_waiting(destination_id), deliveries.c.next_attempt_at.is_(None))
        .values(next_attempt_at=now)
    )


def forget_users(connection: sa.Connection, user_ids: Sequence[str]) -> int:
    """Forget what waits and what is dead of these users, and all samples.

    Returns how many messages that were. What is on the wire this moment arrives all the same.
    Samples go whole: the request of one message may have carried those of others.
    """
    forgotten = 0
    for destination_id in connection.execute(sa.select(destinations.c.id)).scalars().all():
        for column in ("user_key", "previous_id"):
            for some in _chunks(user_ids):
                gone = _mine(deliveries.delete(), destination_id, column, some)
                forgotten += connection.execute(gone).rowcount
    connection.execute(delivery_samples.delete())
    return forgotten


def replay_dead_letters(
    connection: sa.Connection,
    clock: Clock,
    destination_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Let dead letters be tried again, as if new; return how many."""
    get_destination(connection, destination_id)
    chosen = [deliveries.c.destination_id == destination_id, deliveries.c.state == "dead"]
    if since is not None:
        chosen.append(deliveries.c.first_tried_at >= since)
    if until is not None:
        chosen.append(deliveries.c.first_tried_at < until)
    now = clock.now()
    return connection.execute(
        deliveries.update()
        .where(*chosen)
        .values(state="retry", attempts=0, status=None, first_tried_at=now, next_attempt_at=now)
    ).rowcount


def prune_dead_letters(connection: sa.Connection, clock: Clock, keep: timedelta) -> int:
    """Forget dead letters that nobody replayed in time; return how many."""
    old = deliveries.c.first_tried_at < clock.now() - keep
    return connection.execute(deliveries.delete().where(deliveries.c.state == "dead", old)).rowcount


def _waiting(destination_id: str) -> list[sa.ColumnElement[bool]]:
    return [deliveries.c.destination_id == destination_id, deliveries.c.state == "retry"]


def _mine(change: sa.Delete, destination_id: str, column: str, values: Sequence[str]) -> sa.Delete:
    table = deliveries.c
    return change.where(table.destination_id == destination_id, table[column].in_(values))


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _QUERY_KEYS] for at in range(0, len(values), _QUERY_KEYS))


def _alteration(destination_id: str, waiting: Waiting) -> dict[str, object]:
    return {
        "of_destination": destination_id,
        "of_message": waiting.message.message_id,
        "state": waiting.state,
        "attempts": waiting.attempts,
        "next_attempt_at": waiting.next_attempt_at,
        "status": waiting.status,
        "error": waiting.error[:_MOST_ERROR_CHARACTERS],
        "error_class": waiting.error_class,
    }


def _row(destination_id: str, waiting: Waiting) -> dict[str, object]:
    return {
        "destination_id": destination_id,
        "message_id": waiting.message.message_id,
        "state": waiting.state,
        "message": msgspec.json.encode(waiting.message),
        "attempts": waiting.attempts,
        "first_tried_at": waiting.first_tried_at,
        "next_attempt_at": waiting.next_attempt_at,
        "status": waiting.status,
        "error": waiting.error[:_MOST_ERROR_CHARACTERS],
        "error_class": waiting.error_class,
        "user_key": user_key(waiting.message),
        "place": waiting.place,
        "previous_id": previous_id(waiting.message),
    }


def read_row(row: sa.Row[tuple[object, ...]]) -> Waiting:
    """Return the message that a row keeps."""
    fields = row._asdict()
    message = msgspec.json.decode(fields.pop("message"), type=Message)
    for name in ("destination_id", "message_id", "user_key", "previous_id"):
        del fields[name]
    return Waiting(message=message, is_stored=True, **fields)
