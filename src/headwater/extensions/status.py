"""Tell how a connection is doing.

In: a connection. Out: where it sends, how far it is, what waits, what was refused and why. The
secret is masked.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.schedule import read_schedule
from headwater.base.vault import show_masked
from headwater.extensions import outbox, runs
from headwater.extensions.audience import Condition
from headwater.extensions.backfill import Backfill, find_running
from headwater.extensions.connections import Connection, Opened
from headwater.extensions.dead import DeadItem, read_dead
from headwater.workspace import App

_SHOWN = 10


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that people want to see of one app's connection."""

    app_id: str
    type: str
    endpoint: str
    built_in: bool
    settings: dict[str, Any]
    """The extension's own; its secret masked, by its name."""
    secret_check: str
    """What the endpoint said of the secret when it was saved."""
    schedule: str
    """Empty: the server's default."""
    audience: tuple[Condition, ...]
    """Whom it sends; empty: everybody."""
    cohort_id: str = ""
    """Not empty: the conditions are those of this cohort."""
    cohort: str = ""
    """Its name."""
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
    dead: list[DeadItem]
    backfill: Backfill | None
    """The one on its way."""


def read_status(
    connection: sa.Connection,
    opened: Opened,
    *,
    app: App,
    built_in_url: str,
    default: timedelta,
    now: datetime,
    entries_not_stored: int,
) -> Status:
    """Put it together from one transaction."""
    of = opened.connection
    url = opened.target.url
    return Status(
        app_id=of.app_id,
        type=of.type,
        endpoint=url or built_in_url,
        built_in=not url,
        settings=show_settings(opened),
        secret_check=of.secret_check,
        schedule=of.schedule,
        audience=of.audience,
        cohort_id=of.cohort_id,
        cohort=of.cohort,
        enabled=of.enabled,
        messages=outbox.count_states(connection, of.id),
        last_error=of.last_error,
        retry_at=of.retry_at,
        next_run_at=_next_run_at(connection, of, app, default, now),
        entries_not_stored=entries_not_stored,
        runs=runs.read_runs(connection, of.id, _SHOWN),
        dead=read_dead(connection, of.id, _SHOWN),
        backfill=find_running(connection, of.id),
    )


def show_settings(opened: Opened) -> dict[str, Any]:
    """Return the settings as people may see them."""
    secret_name = opened.extension.declaration.secret.name
    return {**opened.connection.settings, secret_name: show_masked(opened.secret)}


def _next_run_at(
    connection: sa.Connection, of: Connection, app: App, default: timedelta, now: datetime
) -> datetime | None:
    if not of.enabled:
        return None
    started_at = runs.last_started_at(connection, of.id)
    schedule = read_schedule(of.schedule, default)
    due_at = now if started_at is None else schedule.next_after(started_at, app.timezone)
    return max(due_at, of.retry_at or due_at, now)
