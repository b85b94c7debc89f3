"""Show how a destination fares: totals, and lists of what waits and what is dead.

In: a connection to the configuration database. Out: what people and the API see.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa

from headwater.base.errors import InvalidInputError
from headwater.configdb.tables import deliveries, delivery_counts
from headwater.destinations import get_destination
from headwater.federation.deliveries import read_row
from headwater.federation.figures import (
    Hour,
    add_up,
    age_at,
    ages_in,
    as_hour,
    error_classes,
    read_counts,
)
from headwater.federation.meanings import meaning_of
from headwater.federation.samples import Sample, list_samples
from headwater.federation.waiting import Waiting

_MOST_LISTED = 1_000


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that its destination never took, or not yet."""

    message_id: str
    type: str
    user_id: str
    status: int | None
    error: str
    error_class: str
    attempts: int
    first_tried_at: datetime
    next_attempt_at: datetime | None
    body: dict[str, object]


class DeliveryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination fares."""

    destination_id: str
    enabled: bool
    delivered: int
    delivered_first_try: int
    filtered: int
    unreadable: int
    """Records of the log that are no messages; set aside."""
    waiting: int
    dead: int
    last_delivered_at: datetime | None
    last_error: str
    """Of the newest message that waits or is dead."""
    paused: str
    """Why nothing is sent until a person mends it; empty: it is sent."""
    rests_s: float = 0.0
    """How long a failing destination is left alone from now."""
    behind_entries: int | None = None
    """Log entries that it has not reached; unknown without a running server."""


class ErrorClass(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of one kind, such as `discarded.400` or `awaiting-retry.503`."""

    error_class: str
    meaning: str
    """In words, what that is."""
    attempts: int
    samples: list[Sample]


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of messages in a range of whole hours."""

    delivered: int
    dead: int
    first_try_share: float | None
    """Of those delivered."""
    delivered_share: float | None
    """Of those delivered or dead."""
    age_p50_s: float | None
    """From receiving a message to its delivery, within a seventh."""
    age_p99_s: float | None
    hours: list[Hour]
    errors: list[ErrorClass]


def delivery_view(
    connection: sa.Connection, destination_id: str, since: datetime, until: datetime
) -> DeliveryView:
    """Return rates, ages, hours and errors of a destination."""
    get_destination(connection, destination_id)
    counts = read_counts(connection, destination_id, since, until)
    total = add_up(counts)
    delivered, dead, ages = total.get("delivered", 0), total.get("dead", 0), ages_in(total)
    return DeliveryView(
        delivered=delivered,
        dead=dead,
        first_try_share=_share(total.get("first_try", 0), delivered),
        delivered_share=_share(delivered, delivered + dead),
        age_p50_s=age_at(ages, 0.5),
        age_p99_s=age_at(ages, 0.99),
        hours=[as_hour(hour, by_what) for hour, by_what in counts.items()],
        errors=_errors(connection, destination_id, total),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _errors(
    connection: sa.Connection, destination_id: str, total: Mapping[str, int]
) -> list[ErrorClass]:
    samples = list_samples(connection, destination_id)
    found = [
        ErrorClass(
            error_class=name,
            meaning=meaning_of(name),
            attempts=count,
            samples=[one for one in samples if one.error_class == name],
        )
        for name, count in error_classes(total).items()
    ]
    return sorted(found, key=lambda one: -one.attempts)


def list_dead_letters(
    connection: sa.Connection, destination_id: str, *, limit: int = 100, after: str = ""
) -> list[DeadLetter]:
    """Return dead letters by message id, from the one after `after`."""
    return _list(connection, destination_id, "dead", limit, after)


def list_waiting(
    connection: sa.Connection, destination_id: str, *, limit: int = 100, after: str = ""
) -> list[DeadLetter]:
    """Return messages that will be tried again, by message id, from the one after `after`."""
    return _list(connection, destination_id, "retry", limit, after)


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
    return DeliveryStatus(
        destination_id=instance.id,
        enabled=instance.enabled,
        delivered=totals.delivered if totals else 0,
        delivered_first_try=totals.delivered_first_try if totals else 0,
        filtered=totals.filtered if totals else 0,
        unreadable=totals.unreadable if totals else 0,
        last_delivered_at=totals.last_delivered_at if totals else None,
        paused=totals.paused if totals else "",
        waiting=by_state.get("retry", 0),
        dead=by_state.get("dead", 0),
        last_error=_last_error(connection, destination_id) if by_state else "",
    )


def _last_error(connection: sa.Connection, destination_id: str) -> str:
    table = deliveries.c
    newest = (
        sa.select(table.error)
        .where(table.destination_id == destination_id, table.error != "")
        .order_by(table.first_tried_at.desc())
        .limit(1)
    )
    return connection.execute(newest).scalar_one_or_none() or ""


def _list(
    connection: sa.Connection,
    destination_id: str,
    state: Literal["retry", "dead"],
    limit: int,
    after: str,
) -> list[DeadLetter]:
    if not 1 <= limit <= _MOST_LISTED:
        raise InvalidInputError(f"A limit is 1 to {_MOST_LISTED}.", field="limit")
    get_destination(connection, destination_id)
    rows = connection.execute(
        sa.select(deliveries)
        .where(
            deliveries.c.destination_id == destination_id,
            deliveries.c.state == state,
            deliveries.c.message_id > after,
        )
        .order_by(deliveries.c.message_id)
        .limit(limit)
    )
    return [_as_letter(read_row(row)) for row in rows]


def _as_letter(waiting: Waiting) -> DeadLetter:
    return DeadLetter(
        message_id=waiting.message.message_id,
        type=waiting.message.type,
        user_id=waiting.message.user_id,
        status=waiting.status,
        error=waiting.error,
        error_class=waiting.error_class,
        attempts=waiting.attempts,
        first_tried_at=waiting.first_tried_at,
        next_attempt_at=waiting.next_attempt_at,
        body=waiting.message.body,
    )
