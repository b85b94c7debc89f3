"""Write down what became of messages: one transaction for rows, counts, samples and position.

In: hauls, and what their pieces met. Out: rows. Until it is written a crash repeats the delivery
with the same `messageId`; after it, never.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.settings import FederationSettings
from headwater.configdb import Position, write_position
from headwater.destinations import Instance, get_destination, set_destination_enabled
from headwater.eventlog import Stream
from headwater.federation.conclude import GONE, conclude
from headwater.federation.counts import add_totals, pause
from headwater.federation.deliveries import Change, free_heads, store
from headwater.federation.figures import add_counts
from headwater.federation.lanes import Haul, Piece
from headwater.federation.samples import Seen, keep_samples, keep_unreadable
from headwater.federation.waiting import user_key


def settle(
    connection: sa.Connection,
    clock: Clock,
    instance: Instance,
    settings: FederationSettings,
    hauls: Sequence[Haul],
    paused: str,
) -> None:
    """Write down what became of some hauls; what was not tried waits on."""
    crash_point("federation.before_write")
    now = clock.now()
    tally = _add_tallies(hauls)
    pieces = [piece for haul in hauls for piece in haul.pieces]
    change, seen = _judge(pieces, tally, now, settings)
    dropped = [waiting.message for haul in hauls for waiting in haul.dropped]
    change.gone += [message.message_id for message in dropped]
    store(connection, instance.id, change)
    if instance.keeps_order:
        messages = [*dropped, *(piece.waiting.message for piece in pieces)]
        free_heads(connection, instance.id, sorted({*map(user_key, messages)}), now)
    keep_samples(connection, instance.id, now, seen)
    unreadable = [record for haul in hauls for record in haul.unreadable]
    keep_unreadable(connection, instance.id, now, unreadable)
    add_totals(connection, instance.id, now, tally)
    add_counts(connection, instance.id, now, tally)
    if paused:
        pause(connection, instance.id, paused)
    next_offset = max((haul.next_offset for haul in hauls), default=0)
    if next_offset:
        advance(connection, clock, instance, next_offset)
    _disable_if_gone(connection, clock, instance, pieces)


def advance(connection: sa.Connection, clock: Clock, instance: Instance, next_offset: int) -> None:
    """Move the position, unless the destination was switched off meanwhile."""
    current = get_destination(connection, instance.id)
    if current.enabled and current.enabled_at == instance.enabled_at:
        position = Position(next_offset)
        write_position(connection, clock, instance.reader, Stream.MESSAGES.value, position)


def _add_tallies(hauls: Iterable[Haul]) -> dict[str, int]:
    total: dict[str, int] = {}
    for haul in hauls:
        for what, count in haul.tally.items():
            total[what] = total.get(what, 0) + count
    return total


def _judge(
    pieces: Iterable[Piece], tally: dict[str, int], now: datetime, settings: FederationSettings
) -> tuple[Change, list[Seen]]:
    """Divide messages into those that are done and those that wait on, and count them."""
    change, seen = Change(), []
    for piece in pieces:
        waiting, outcome = piece.waiting, piece.outcome
        if outcome is None:
            if not waiting.is_stored:
                due = None if piece.lane else now
                change.new.append(msgspec.structs.replace(waiting, next_attempt_at=due))
            continue
        further = conclude(waiting, outcome, now, settings)
        if further is None:
            _count(tally, "delivered")
            if waiting.attempts == 0:
                _count(tally, "first_try")
            if waiting.is_stored:
                change.gone.append(waiting.message.message_id)
            continue
        _count(tally, "dead" if further.state == "dead" else "retried")
        _count(tally, f"error.{further.error_class}")
        (change.changed if waiting.is_stored else change.new).append(further)
        seen.append(Seen(further, outcome))
    return change, seen


def _count(tally: dict[str, int], what: str) -> None:
    tally[what] = tally.get(what, 0) + 1


def _disable_if_gone(
    connection: sa.Connection, clock: Clock, instance: Instance, pieces: Iterable[Piece]
) -> None:
    gone = next((p.outcome for p in pieces if p.outcome and p.outcome.status == GONE), None)
    if gone is not None:
        pause(connection, instance.id, f"switched off, since it {gone.error}")
        set_destination_enabled(connection, clock, instance.id, enabled=False)
