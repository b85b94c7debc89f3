"""Tell how a connection is doing.

In: a connection. Out: where it sends, how far it is, what waits, what was refused and why. The
partner key is masked.
"""

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from headwater.base.vault import Vault
from headwater.extensions.segment import outbox, runs
from headwater.extensions.segment.connection import Connection, masked_partner_key

_SHOWN = 10


class SegmentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that people want to see of one app's connection."""

    app_id: str
    endpoint: str
    built_in: bool
    partner_key: str
    payload_version: str
    enabled: bool
    messages: dict[str, int]
    """By state; delivered ones of the last days only."""
    last_error: str
    retry_at: datetime | None
    next_run_at: datetime | None
    """When the schedule runs next; None while paused."""
    entries_not_stored: int
    """Log entries that a run would not see yet."""
    runs: list[runs.Run]
    dead: list[outbox.DeadItem]


def read_status(
    connection: sa.Connection,
    vault: Vault,
    of: Connection,
    *,
    built_in_url: str,
    every: timedelta,
    now: datetime,
    entries_not_stored: int,
) -> SegmentStatus:
    """Put it together from one transaction."""
    return SegmentStatus(
        app_id=of.app_id,
        endpoint=of.endpoint or built_in_url,
        built_in=not of.endpoint,
        partner_key=masked_partner_key(connection, vault, of.id),
        payload_version=of.payload_version,
        enabled=of.enabled,
        messages=outbox.count_states(connection, of.id),
        last_error=of.last_error,
        retry_at=of.retry_at,
        next_run_at=_next_run_at(connection, of, every, now),
        entries_not_stored=entries_not_stored,
        runs=runs.read_runs(connection, of.id, _SHOWN),
        dead=outbox.read_dead(connection, of.id, _SHOWN),
    )


def _next_run_at(
    connection: sa.Connection, of: Connection, every: timedelta, now: datetime
) -> datetime | None:
    if not of.enabled:
        return None
    started_at = runs.last_started_at(connection, of.id)
    due_at = now if started_at is None else started_at + every
    return max(due_at, of.retry_at or due_at, now)
