"""Remember every message from the moment it is due until its fate is known.

In: composed messages. Out: those to send, in the order they were made. States: due, sent (on the
wire, answer unknown), delivered, dead. A message id enters once and never again, which is what
makes a repeated run send nothing twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import outbox

State = Literal["due", "sent", "delivered", "dead"]
WAITING: tuple[State, ...] = ("due", "sent")
TOO_LARGE = "too_large: more than 32 KB even after trimming"
_QUERY_IDS = 500


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the outbox."""

    message_id: str
    user_id: str
    payload: bytes | None
    """Its JSON; None: it could not be made small enough."""


class DeadItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message that will not be sent again by itself, and why."""

    message_id: str
    user_id: str
    error: str
    created_at: datetime


def known_ids(connection: sa.Connection, connection_id: str, ids: Sequence[str]) -> set[str]:
    """Return those of `ids` that ever entered."""
    found: set[str] = set()
    for first in range(0, len(ids), _QUERY_IDS):
        rows = connection.execute(
            sa.select(outbox.c.message_id).where(
                outbox.c.connection_id == connection_id,
                outbox.c.message_id.in_(ids[first : first + _QUERY_IDS]),
            )
        )
        found.update(rows.scalars())
    return found


def put_due(
    connection: sa.Connection, connection_id: str, run_id: str, items: Iterable[Item], at: datetime
) -> int:
    """Add messages that are not there yet; return how many were too large and are dead at once."""
    by_id = {item.message_id: item for item in items}
    known = known_ids(connection, connection_id, list(by_id))
    rows: list[dict[str, Any]] = [
        {
            "connection_id": connection_id,
            "message_id": item.message_id,
            "user_id": item.user_id,
            "run_id": run_id,
            "state": "dead" if item.payload is None else "due",
            "payload": item.payload,
            "attempts": 0,
            "error": TOO_LARGE if item.payload is None else "",
            "created_at": at,
            "delivered_at": None,
        }
        for item in by_id.values()
        if item.message_id not in known
    ]
    if rows:
        connection.execute(outbox.insert(), rows)
    return sum(row["state"] == "dead" for row in rows)


def read_waiting(
    connection: sa.Connection, connection_id: str, limit: int, *, user_id: str | None = None
) -> list[Item]:
    """Return the oldest messages whose delivery is not known, in order; of one user if wanted."""
    question = (
        sa.select(outbox.c.message_id, outbox.c.user_id, outbox.c.payload)
        .where(outbox.c.connection_id == connection_id, outbox.c.state.in_(WAITING))
        .order_by(outbox.c.created_at, outbox.c.message_id)
        .limit(limit)
    )
    if user_id is not None:
        question = question.where(outbox.c.user_id == user_id)
    rows = connection.execute(question)
    return [Item(**row) for row in rows.mappings()]


def mark_sent(connection: sa.Connection, connection_id: str, ids: Sequence[str]) -> None:
    """They are on the wire; the answer may never be seen."""
    values = {"state": "sent", "attempts": outbox.c.attempts + 1}
    connection.execute(_change(connection_id, ids).values(values))


def mark_due(connection: sa.Connection, connection_id: str, ids: Sequence[str], error: str) -> None:
    """They have to be sent again."""
    connection.execute(_change(connection_id, ids).values(state="due", error=error))


def mark_delivered(
    connection: sa.Connection, connection_id: str, ids: Sequence[str], at: datetime
) -> None:
    """The endpoint has them; what they said need not be kept."""
    values = {"state": "delivered", "payload": None, "error": "", "delivered_at": at}
    connection.execute(_change(connection_id, ids).values(values))


def mark_dead(connection: sa.Connection, connection_id: str, reasons: Mapping[str, str]) -> None:
    """The endpoint refuses them: kept, with its word."""
    for id_, reason in reasons.items():
        connection.execute(_change(connection_id, [id_]).values(state="dead", error=reason))


def revive_dead(connection: sa.Connection, connection_id: str) -> None:
    """Try refused messages once more; too large ones stay."""
    connection.execute(
        outbox.update()
        .where(
            outbox.c.connection_id == connection_id,
            outbox.c.state == "dead",
            outbox.c.payload.is_not(None),
        )
        .values(state="due", error="")
    )


def count_states(connection: sa.Connection, connection_id: str) -> dict[str, int]:
    """Return how many messages are in each state."""
    rows = connection.execute(
        sa.select(outbox.c.state, sa.func.count())
        .where(outbox.c.connection_id == connection_id)
        .group_by(outbox.c.state)
    )
    counts = dict.fromkeys(("due", "sent", "delivered", "dead"), 0)
    for state, count in rows:
        counts[state] = count
    return counts


def has_waiting(connection: sa.Connection, connection_id: str) -> bool:
    """Tell whether anything is to be sent."""
    return bool(read_waiting(connection, connection_id, 1))


def read_dead(connection: sa.Connection, connection_id: str, limit: int) -> list[DeadItem]:
    """Return the newest refused messages."""
    columns = [outbox.c[name] for name in DeadItem.__struct_fields__]
    rows = connection.execute(
        sa.select(*columns)
        .where(outbox.c.connection_id == connection_id, outbox.c.state == "dead")
        .order_by(outbox.c.created_at.desc(), outbox.c.message_id)
        .limit(limit)
    )
    return [DeadItem(**row) for row in rows.mappings()]


def forget_delivered(connection: sa.Connection, connection_id: str, before: datetime) -> None:
    """Drop the memory of delivered messages that were made so long ago that none equals them."""
    connection.execute(
        outbox.delete().where(
            outbox.c.connection_id == connection_id,
            outbox.c.state == "delivered",
            outbox.c.created_at < before,
        )
    )


def _change(connection_id: str, ids: Sequence[str]) -> sa.Update:
    return outbox.update().where(
        outbox.c.connection_id == connection_id, outbox.c.message_id.in_(ids)
    )
