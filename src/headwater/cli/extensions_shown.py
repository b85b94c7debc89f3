"""Show what the management API says of a connection, and name its place there.

In: statuses. Out: lines for people; paths. Shared by the commands of `headwater extensions`.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from headwater.extensions import ExtensionType, Status

Command = Callable[..., None]


def app_option(command: Command) -> Command:
    """Add `--app`."""
    return click.option("--app", "app_id", required=True, help="The app's id.")(command)


def path_of(app_id: str, entry: ExtensionType) -> str:
    """Return where the API keeps an app's connection."""
    return f"/api/v1/apps/{quote(app_id, safe='')}/extensions/{entry.type}"


def status_lines(of: Status) -> list[tuple[str, Any]]:
    """Return a status as people read it."""
    last = of.runs[0] if of.runs else None
    lines = {
        "endpoint": f"{of.endpoint} (built-in)" if of.built_in else of.endpoint,
        **{name.replace("_", " "): value for name, value in of.settings.items()},
        "key": of.secret_check or "not checked",
        "schedule": of.schedule or "as the server is set",
        "sends": _whom(of),
        "state": "on" if of.enabled else "paused",
        "messages": ", ".join(f"{count} {state}" for state, count in of.messages.items()),
        "last run": f"{last.started_at:%Y-%m-%d %H:%M:%S} UTC, {last.state}" if last else "none",
        "next run": f"{of.next_run_at:%Y-%m-%d %H:%M:%S} UTC" if of.next_run_at else "none",
        "last error": of.last_error or "none",
        **{f"refused {item.user_id}": item.error for item in of.dead},
    }
    if of.backfill is not None:
        lines["backfill"] = f"{of.backfill.days_done} of {of.backfill.days} days"
    return list(lines.items())


def _whom(of: Status) -> str:
    conditions = ", ".join(f"{c.field} {c.op} {c.value}".strip() for c in of.audience)
    return f"{of.cohort}: {conditions}" if of.cohort else conditions or "everybody"
