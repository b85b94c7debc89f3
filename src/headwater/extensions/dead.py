"""Keep the messages that an endpoint refused for good, with its word.

In: a message and a reason. Out: a list, newest first. They are never sent again by themselves;
`outbox.revive_dead` makes them due again when somebody asks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import outbox_dead as dead


class DeadItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message that will not be sent again by itself, and why."""

    message_id: str
    user_id: str
    error: str
    """What the endpoint answered."""
    created_at: datetime
    message: dict[str, Any] | None = None
    """As it was sent; None: it could not be made small enough, or was not asked for."""


class _Named(msgspec.Struct, rename="camel"):
    message_id: str = ""
    user_id: str = ""


def user_of(payload: bytes) -> str:
    """Return whom a message is about."""
    return msgspec.json.decode(payload, type=_Named).user_id


def bury_payload(
    connection: sa.Connection, connection_id: str, payload: bytes, error: str, at: datetime
) -> None:
    """Keep a message of a batch, with the endpoint's word."""
    named = msgspec.json.decode(payload, type=_Named)
    bury(connection, connection_id, named.message_id, named.user_id, payload, error, at)


def bury(
    connection: sa.Connection,
    connection_id: str,
    message_id: str,
    user_id: str,
    payload: bytes | None,
    error: str,
    at: datetime,
) -> None:
    """Keep one message; the newest word about it counts."""
    connection.execute(
        dead.delete().where(dead.c.connection_id == connection_id, dead.c.message_id == message_id)
    )
    connection.execute(
        dead.insert().values(
            connection_id=connection_id,
            message_id=message_id,
            user_id=user_id,
            payload=payload,
            error=error,
            created_at=at,
        )
    )


def count_dead(connection: sa.Connection, connection_id: str) -> int:
    """Return how many there are."""
    question = sa.select(sa.func.count()).where(dead.c.connection_id == connection_id)
    return int(connection.execute(question).scalar_one())


def read_dead(connection: sa.Connection, connection_id: str, limit: int) -> list[DeadItem]:
    """Return the newest ones, without the messages themselves."""
    columns = (dead.c.message_id, dead.c.user_id, dead.c.error, dead.c.created_at)
    question = sa.select(*columns).where(dead.c.connection_id == connection_id)
    rows = connection.execute(_newest_first(question).limit(limit))
    return [DeadItem(**row) for row in rows.mappings()]


def page_dead(
    connection: sa.Connection, connection_id: str, limit: int, cursor: str
) -> list[DeadItem]:
    """Return the next ones after the message named `cursor`, with the messages."""
    question = sa.select(dead).where(dead.c.connection_id == connection_id)
    if cursor:
        of = sa.select(dead.c.created_at).where(
            dead.c.connection_id == connection_id, dead.c.message_id == cursor
        )
        at = of.scalar_subquery()
        later = sa.and_(dead.c.created_at == at, dead.c.message_id > cursor)
        question = question.where(sa.or_(dead.c.created_at < at, later))
    rows = connection.execute(_newest_first(question).limit(limit)).mappings()
    return [
        DeadItem(
            message_id=row["message_id"],
            user_id=row["user_id"],
            error=row["error"],
            created_at=row["created_at"],
            message=None if row["payload"] is None else msgspec.json.decode(row["payload"]),
        )
        for row in rows
    ]


def take_dead(
    connection: sa.Connection, connection_id: str, message_ids: Sequence[str], limit: int
) -> list[bytes]:
    """Remove some that can be sent again, of these or of all; return what they say."""
    where = [dead.c.connection_id == connection_id, dead.c.payload.is_not(None)]
    if message_ids:
        where.append(dead.c.message_id.in_(message_ids))
    question = sa.select(dead.c.message_id, dead.c.payload).where(*where).limit(limit)
    rows = connection.execute(question).all()
    ids = [row.message_id for row in rows]
    connection.execute(dead.delete().where(*where, dead.c.message_id.in_(ids)))
    return [row.payload for row in rows]


def drop_dead(connection: sa.Connection, connection_id: str, user_id: str | None = None) -> None:
    """Forget all of them, or those about one user."""
    of_user = dead.delete().where(dead.c.connection_id == connection_id)
    connection.execute(of_user if user_id is None else of_user.where(dead.c.user_id == user_id))


def _newest_first(question: sa.Select[Any]) -> sa.Select[Any]:
    return question.order_by(dead.c.created_at.desc(), dead.c.message_id)
