"""What an extension sends, on the command line: preview, test, sync, status, history, backfills.

In: arguments. Out: messages, runs, counts. Each function makes one command for one entry of the
gallery; `extensions` puts them together.
"""

from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import urlencode

import click
import msgspec
from rich.json import JSON

from headwater.base.errors import UnavailableError
from headwater.cli.common import Cli, options, remote, table
from headwater.cli.extensions_shown import app_option, path_of, status_lines
from headwater.extensions import (
    MOST_PREVIEWED,
    Backfill,
    DeadItem,
    ExtensionType,
    ProfileOf,
    Run,
    RunResult,
    Status,
    Trial,
)

_LISTED = click.option("--limit", default=20, show_default=True, help="How many.")


def _preview(entry: ExtensionType) -> click.Command:
    @click.command("preview")
    @app_option
    @click.option("--user", "user_id", default="", help="Only this user, even when not due.")
    @click.option("--limit", default=MOST_PREVIEWED, show_default=True, help="Most messages.")
    @options
    def preview(cli: Cli, app_id: str, user_id: str, limit: int) -> None:
        """Print the exact messages that a sync would send now."""
        wanted = urlencode({"user_id": user_id, "limit": limit})
        with remote(cli) as api:
            messages = api.get(f"{path_of(app_id, entry)}/preview?{wanted}")["messages"]
        cli.show(messages, lambda: JSON(msgspec.json.encode(messages).decode()))

    return preview


def _test(entry: ExtensionType) -> click.Command:
    @click.command("test")
    @app_option
    @click.option("--user", "user_id", required=True, help="Whose message to send.")
    @options
    def test(cli: Cli, app_id: str, user_id: str) -> None:
        """Send one user's message now; print the request and the answer."""
        with remote(cli) as api:
            answer = api.post(f"{path_of(app_id, entry)}/test", {"user_id": user_id})
        trial = msgspec.convert(answer, Trial)
        cli.show(trial, lambda: JSON(msgspec.json.encode(answer).decode()))
        if trial.verdict != "accepted":
            raise UnavailableError(trial.reason)

    return test


def _sync(entry: ExtensionType) -> click.Command:
    @click.command("sync")
    @app_option
    @click.option("--full", is_flag=True, help="Look at every user, not only at changed ones.")
    @options
    def sync(cli: Cli, app_id: str, full: bool) -> None:
        """Send what changed; nothing is ever sent twice."""
        question = urlencode({"full": str(full).lower()})
        with remote(cli) as api:
            answer = api.post(f"{path_of(app_id, entry)}/sync?{question}")
        result = msgspec.convert(answer, RunResult)
        rows = [(name, value) for name, value in answer.items() if value != ""]
        cli.show(result, lambda: table(("", ""), rows, ""))
        if result.error:
            hint = "What was not delivered waits and is sent again."
            raise UnavailableError(result.error, hint=hint)

    return sync


def _status(entry: ExtensionType) -> click.Command:
    @click.command("status")
    @app_option
    @options
    def status(cli: Cli, app_id: str) -> None:
        """Show where it sends, how far it is, what waits and what was refused."""
        with remote(cli) as api:
            answer = msgspec.convert(api.get(f"{path_of(app_id, entry)}/status"), Status)
        cli.show(answer, lambda: table(("", ""), status_lines(answer), ""))

    return status


def _runs(entry: ExtensionType) -> click.Command:
    @click.command("runs")
    @app_option
    @_LISTED
    @options
    def runs(cli: Cli, app_id: str, limit: int) -> None:
        """List the runs, newest first; of those that found nothing only the last."""
        found = _list(cli, f"{path_of(app_id, entry)}/runs", limit, list[Run])
        rows = [
            (f"{r.started_at:%Y-%m-%d %H:%M:%S}", r.kind, r.state, r.users_considered, r.sent,
             r.delivered, r.failed, r.error)
            for r in found
        ]  # fmt: skip
        names = ("started (UTC)", "kind", "state", "users", "sent", "delivered", "failed", "why")
        cli.show(found, lambda: table(names, rows, "No run yet."))

    return runs


def _dead(entry: ExtensionType) -> click.Command:
    @click.command("dead")
    @app_option
    @_LISTED
    @options
    def dead(cli: Cli, app_id: str, limit: int) -> None:
        """List the messages that were refused for good, each with the answer."""
        found = _list(cli, f"{path_of(app_id, entry)}/dead", limit, list[DeadItem])
        rows = [
            (i.message_id, i.user_id, f"{i.created_at:%Y-%m-%d %H:%M:%S}", i.error) for i in found
        ]
        columns = ("message", "user", "made (UTC)", "answer")
        cli.show(found, lambda: table(columns, rows, "None was refused."))

    return dead


def _resend(entry: ExtensionType) -> click.Command:
    @click.command("resend")
    @click.argument("message_ids", nargs=-1)
    @app_option
    @options
    def resend(cli: Cli, app_id: str, message_ids: tuple[str, ...]) -> None:
        """Make refused messages due again: those named, or all. They are sent within seconds."""
        body = {"message_ids": list(message_ids)}
        with remote(cli) as api:
            answer = api.post(f"{path_of(app_id, entry)}/dead/resend", body)
        cli.show(answer, lambda: f"{answer['resent']} messages are due again.")

    return resend


def _backfill(entry: ExtensionType) -> click.Command:
    @click.command("backfill")
    @app_option
    @click.option("--from", "first_day", required=True, help="The first day, such as 2026-11-01.")
    @click.option("--to", "last_day", required=True, help="The last day; it must be over.")
    @click.option(
        "--profile",
        type=click.Choice(get_args(ProfileOf)),
        default="now",
        show_default=True,
        help="Tell people as they are now, or as they were then, at the end of each day.",
    )
    @options
    def backfill(cli: Cli, app_id: str, first_day: str, last_day: str, profile: str) -> None:
        """Begin to send the past, day by day; the server goes on with it, after restarts too."""
        body = {"first_day": first_day, "last_day": last_day, "profile": profile}
        with remote(cli) as api:
            answer = api.post(f"{path_of(app_id, entry)}/backfills", body)
        made = msgspec.convert(answer, Backfill)
        cli.show(made, lambda: f"{made.id}: {made.days} days. See `backfills` for how far it is.")

    return backfill


def _backfills(entry: ExtensionType) -> click.Command:
    @click.command("backfills")
    @app_option
    @_LISTED
    @options
    def backfills(cli: Cli, app_id: str, limit: int) -> None:
        """List the backfills and how far they are."""
        found = _list(cli, f"{path_of(app_id, entry)}/backfills", limit, list[Backfill])
        rows = [
            (b.id, b.state, b.first_day, b.last_day, f"{b.days_done} of {b.days}", b.messages)
            for b in found
        ]
        columns = ("backfill", "state", "from", "to", "days done", "messages")
        cli.show(found, lambda: table(columns, rows, "None yet."))

    return backfills


def _cancel_backfill(entry: ExtensionType) -> click.Command:
    @click.command("cancel-backfill")
    @app_option
    @options
    def cancel(cli: Cli, app_id: str) -> None:
        """Make no more of the backfill on its way; what is in the outbox is still sent."""
        with remote(cli) as api:
            answer = api.post(f"{path_of(app_id, entry)}/backfills/cancel")
        found = msgspec.convert(answer, Backfill)
        cli.show(found, lambda: f"Cancelled after {found.days_done} of {found.days} days.")

    return cancel


def _list(cli: Cli, path: str, limit: int, type_: Any) -> Any:
    with remote(cli) as api:
        answer = api.get(f"{path}?{urlencode({'limit': limit})}")
    return msgspec.convert(answer["items"], type_)


COMMANDS: tuple[Callable[[ExtensionType], click.Command], ...] = (
    _preview, _test, _sync, _status, _runs, _dead, _resend, _backfill, _backfills,
    _cancel_backfill,
)  # fmt: skip
