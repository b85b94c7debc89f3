"""Keep what could not be delivered at once: to be tried again, or dead and replayable.

In: a connection to the configuration database. Out: rows of `deliveries` and the counts. Delivered
messages leave no row.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import InvalidInputError
from headwater.configdb.tables import deliveries, delivery_counts
from headwater.destinations import get_destination
from headwater.model import Message

_MOST_ERROR_CHARACTERS = 1_000
_MOST_LISTED = 1_000


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is not delivered yet."""

    message: Message
    state: Literal["retry", "dead"] = "retry"
    attempts: int = 0
    first_tried_at: datetime
    next_attempt_at: datetime | None = None
    status: int | None = None
    error: str = ""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What a step adds to a destination's totals."""

    delivered: int = 0
    delivered_first_try: int = 0
    filtered: int = 0
    unreadable: int = 0
    """Records of the log that are no message."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that its destination never took."""

    message_id: str
    type: str
    user_id: str
    status: int | None
    error: str
    attempts: int
    first_tried_at: datetime
    body: dict[str, object]


class DeliveryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination fares."""

    destination_id: str
    enabled: bool
    delivered: int
    delivered_first_try: int
    filtered: int
    unreadable: int
    """Records of the log that nobody can read: passed, and told to the operator."""
    waiting: int
    dead: int
    last_delivered_at: datetime | None
    last_error: str
    """Of the newest message that waits or is dead."""
    rests_s: float = 0.0
    """How long a failing destination is left alone from now."""
    behind_entries: int | None = None
    """Log entries that it has not reached; unknown without a running server."""


def due_deliveries(
    connection: sa.Connection, clock: Clock, destination_id: str, limit: int
) -> list[Waiting]:
    """Return messages whose next attempt is due, the longest waiting first."""
    rows = connection.execute(
        sa.select(deliveries)
        .where(
            deliveries.c.destination_id == destination_id,
            deliveries.c.state == "retry",
            deliveries.c.next_attempt_at <= clock.now(),
        )
        .order_by(deliveries.c.next_attempt_at)
        .limit(limit)
    )
    return [_read(row) for row in rows]


def store_deliveries(
    connection: sa.Connection,
    clock: Clock,
    destination_id: str,
    *,
    done: Sequence[str],
    waiting: Sequence[Waiting],
    counts: Counts,
) -> None:
    """Forget what is done, keep what waits, and count; all of it or nothing."""
    rows = {one.message.message_id: _row(destination_id, one) for one in waiting}
    connection.execute(
        deliveries.delete().where(
            deliveries.c.destination_id == destination_id,
            deliveries.c.message_id.in_([*done, *rows]),
        )
    )
    if rows:
        connection.execute(deliveries.insert(), list(rows.values()))
    _add_counts(connection, clock, destination_id, counts)


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
        .values(state="retry", attempts=0, first_tried_at=now, next_attempt_at=now)
    ).rowcount


def list_dead_letters(
    connection: sa.Connection, destination_id: str, *, limit: int = 100, after: str = ""
) -> list[DeadLetter]:
    """Return dead letters by message id, from the one after `after`."""
    if not 1 <= limit <= _MOST_LISTED:
        raise InvalidInputError(f"A limit is 1 to {_MOST_LISTED}.", field="limit")
    get_destination(connection, destination_id)
    rows = connection.execute(
        sa.select(deliveries)
        .where(
            deliveries.c.destination_id == destination_id,
            deliveries.c.state == "dead",
            deliveries.c.message_id > after,
        )
        .order_by(deliveries.c.message_id)
        .limit(limit)
    )
    return [_dead_letter(_read(row)) for row in rows]


def prune_dead_letters(connection: sa.Connection, clock: Clock, keep: timedelta) -> int:
    """Forget dead letters that nobody replayed in time; return how many."""
    old = deliveries.c.first_tried_at < clock.now() - keep
    return connection.execute(deliveries.delete().where(deliveries.c.state == "dead", old)).rowcount


def delivery_status(connection: sa.Connection, destination_id: str) -> DeliveryStatus:
    """Return a destination's totals."""
    instance = get_destination(connection, destination_id)
    mine = deliveries.c.destination_id == destination_id
    states = connection.execute(
        sa.select(deliveries.c.state, sa.func.count()).where(mine).group_by(deliveries.c.state)
    )
    by_state = {state: int(count) for state, count in states}
    totals = connection.execute(
        sa.select(delivery_counts).where(delivery_counts.c.destination_id == destination_id)
    ).one_or_none()
    newest = sa.select(deliveries.c.error).where(mine, deliveries.c.error != "")
    error = connection.execute(newest.order_by(deliveries.c.first_tried_at.desc()).limit(1))
    return DeliveryStatus(
        destination_id=instance.id,
        enabled=instance.enabled,
        delivered=totals.delivered if totals else 0,
        delivered_first_try=totals.delivered_first_try if totals else 0,
        filtered=totals.filtered if totals else 0,
        unreadable=totals.unreadable if totals else 0,
        last_delivered_at=totals.last_delivered_at if totals else None,
        waiting=by_state.get("retry", 0),
        dead=by_state.get("dead", 0),
        last_error=error.scalar_one_or_none() or "",
    )


def _add_counts(
    connection: sa.Connection, clock: Clock, destination_id: str, counts: Counts
) -> None:
    table = delivery_counts.c
    added = {
        "delivered": table.delivered + counts.delivered,
        "delivered_first_try": table.delivered_first_try + counts.delivered_first_try,
        "filtered": table.filtered + counts.filtered,
        "unreadable": table.unreadable + counts.unreadable,
    }
    last = {"last_delivered_at": clock.now()} if counts.delivered else {}
    changed = connection.execute(
        delivery_counts.update()
        .where(table.destination_id == destination_id)
        .values({**added, **last})
    )
    if changed.rowcount == 0:
        values = {**msgspec.structs.asdict(counts), **last}
        connection.execute(delivery_counts.insert().values(destination_id=destination_id, **values))


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
    }


def _read(row: sa.Row[tuple[object, ...]]) -> Waiting:
    fields = row._asdict()
    fields.pop("destination_id")
    fields.pop("message_id")
    message = msgspec.json.decode(fields.pop("message"), type=Message)
    return Waiting(message=message, **fields)


def _dead_letter(waiting: Waiting) -> DeadLetter:
    return DeadLetter(
        message_id=waiting.message.message_id,
        type=waiting.message.type,
        user_id=waiting.message.user_id,
        status=waiting.status,
        error=waiting.error,
        attempts=waiting.attempts,
        first_tried_at=waiting.first_tried_at,
        body=waiting.message.body,
    )
