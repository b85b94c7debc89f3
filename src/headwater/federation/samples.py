"""Keep a few samples of each class of error: what was received, sent and answered.

In: messages that a destination did not take. Out: rows of `delivery_samples`, ten a class, the
newest ones; cut, and without what looks like a secret.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import delivery_samples
from headwater.destinations import Outcome
from headwater.federation.masking import hide_secrets
from headwater.federation.waiting import Waiting, user_key

MOST_IN_CLASS = 10
UNREADABLE = "unreadable"
_MOST_CHARACTERS = 8_000


class Seen(NamedTuple):
    """A message that was not taken, and what the destination said."""

    waiting: Waiting
    outcome: Outcome


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One example of an error."""

    error_class: str
    message_id: str
    at: datetime
    error: str
    received: str
    """The message as it came, JSON."""
    sent: str
    """The request, where the destination says it."""
    answered: str
    """What came back."""


def keep_samples(
    connection: sa.Connection, destination_id: str, now: datetime, seen: Sequence[Seen]
) -> None:
    """Keep the newest of each class."""
    by_class: dict[str, list[dict[str, object]]] = {}
    for one in seen:
        rows = by_class.setdefault(one.waiting.error_class, [])
        if len(rows) < MOST_IN_CLASS:
            rows.append(_row(destination_id, now, one))
    _keep(connection, destination_id, by_class)


def keep_unreadable(
    connection: sa.Connection, destination_id: str, now: datetime, records: Sequence[str]
) -> None:
    """Keep records of the log that are no messages, as far as there is room."""
    rows: list[dict[str, object]] = [
        {
            "destination_id": destination_id,
            "error_class": UNREADABLE,
            "message_id": "",
            "user_key": "",
            "at": now,
            "error": "A record of the log is no message.",
            "received": record[:_MOST_CHARACTERS],
            "sent": "",
            "answered": "",
        }
        for record in records[:MOST_IN_CLASS]
    ]
    _keep(connection, destination_id, {UNREADABLE: rows} if rows else {})


def list_samples(connection: sa.Connection, destination_id: str) -> list[Sample]:
    """Return all samples of a destination, the newest first."""
    rows = connection.execute(
        sa.select(*(delivery_samples.c[name] for name in Sample.__struct_fields__))
        .where(delivery_samples.c.destination_id == destination_id)
        .order_by(delivery_samples.c.id.desc())
    )
    return [Sample(**row) for row in rows.mappings()]


def _keep(
    connection: sa.Connection,
    destination_id: str,
    by_class: dict[str, list[dict[str, object]]],
) -> None:
    table = delivery_samples.c
    for error_class, rows in by_class.items():
        connection.execute(delivery_samples.insert(), rows)
        mine = (table.destination_id == destination_id, table.error_class == error_class)
        newest = sa.select(table.id).where(*mine).order_by(table.id.desc()).limit(MOST_IN_CLASS)
        connection.execute(delivery_samples.delete().where(*mine, table.id.not_in(newest)))


def _row(destination_id: str, now: datetime, seen: Seen) -> dict[str, object]:
    message = seen.waiting.message
    exchange = seen.outcome.exchanges[-1] if seen.outcome.exchanges else None
    sent = f"{exchange.method} {exchange.url}\n{exchange.body}" if exchange else ""
    answered = f"{exchange.status or 'no answer'}\n{exchange.answer}" if exchange else ""
    body = msgspec.json.encode(hide_secrets(message.body)).decode()
    return {
        "destination_id": destination_id,
        "error_class": seen.waiting.error_class,
        "message_id": message.message_id,
        "user_key": user_key(message),
        "at": now,
        "error": seen.waiting.error[:_MOST_CHARACTERS],
        "received": body[:_MOST_CHARACTERS],
        "sent": sent[:_MOST_CHARACTERS],
        "answered": answered[:_MOST_CHARACTERS],
    }
