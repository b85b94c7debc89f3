"""`headwater extensions`: send each user's API activity to other systems.

In: arguments; the partner key perhaps on standard input. Out: connections, previews, runs. Listing
and connecting work on the configuration database; the rest asks the running server, or one started
for the command.
"""

import sys
from typing import Any
from urllib.parse import quote, urlencode

import click
import msgspec
from rich.json import JSON

from headwater.base.errors import UnavailableError
from headwater.cli.common import Cli, Remote, options, remote, table
from headwater.extensions import GALLERY, RunResult, SegmentStatus, segment
from headwater.sources import find_by_write_key
from headwater.workspace import get_app, list_apps


@click.group()
def extensions() -> None:
    """What is sent to other systems about each user."""


@extensions.group("segment")
def segment_group() -> None:
    """Identify calls to Segment, or to anything that speaks its Tracking API."""


@extensions.command("list")
@options
def list_(cli: Cli) -> None:
    """Show the gallery, and which apps are connected."""
    with cli.configuration() as connection:
        names = {app.id: app.name for app in list_apps(connection)}
        connected = [
            {
                "app_id": found.app_id,
                "app": names[found.app_id],
                "endpoint": found.endpoint,
                "payload_version": found.payload_version,
                "enabled": found.enabled,
            }
            for found in segment.list_connections(connection)
        ]
    found = [
        {
            "type": entry.type,
            "title": entry.title,
            "description": entry.description,
            "apps": connected,
        }
        for entry in GALLERY
    ]
    rows = [
        [entry.type, entry.description, ", ".join(str(one["app"]) for one in connected) or "none"]
        for entry in GALLERY
    ]
    cli.show(found, lambda: table(("type", "description", "connected apps"), rows, ""))


@segment_group.command("connect")
@click.option("--app", "app_id", required=True, help="The app's id.")
@click.option(
    "--partner-key", required=True, help="The source's write key; - reads it from standard input."
)
@click.option("--endpoint", default="", help="Base URL.  [default: this server's own source]")
@click.option(
    "--payload-version",
    type=click.Choice(segment.PAYLOAD_VERSIONS),
    help="[default: that of the source whose key it is, else current]",
)
@options
def connect(
    cli: Cli, app_id: str, partner_key: str, endpoint: str, payload_version: str | None
) -> None:
    """Connect an app, or change how it is connected."""
    key = sys.stdin.readline().strip() if partner_key == "-" else partner_key
    with cli.configuration() as connection:
        source = find_by_write_key(connection, key)
        known = source.payload_version if source else ""
        made = segment.connect(
            connection,
            cli.vault,
            cli.clock,
            get_app(connection, app_id).id,
            key,
            endpoint=endpoint,
            payload_version=payload_version or known or segment.PAYLOAD_VERSIONS[0],
        )
        result = {
            "id": made.id,
            "app_id": made.app_id,
            "endpoint": made.endpoint or "built-in",
            "partner_key": segment.masked_partner_key(connection, cli.vault, made.id),
            "payload_version": made.payload_version,
            "enabled": made.enabled,
        }
    cli.show(result, lambda: table(("", ""), list(result.items()), ""))


@segment_group.command("preview")
@click.option("--app", "app_id", required=True, help="The app's id.")
@click.option("--user", "user_id", default="", help="Only this user, even when not due.")
@click.option("--limit", default=segment.MOST_PREVIEWED, show_default=True, help="Most messages.")
@options
def preview(cli: Cli, app_id: str, user_id: str, limit: int) -> None:
    """Print the exact messages that a sync would send now."""
    wanted = urlencode({"user_id": user_id, "limit": limit})
    with remote(cli) as api:
        messages = api.get(f"{_path(app_id)}/preview?{wanted}")["messages"]
    cli.show(messages, lambda: JSON(msgspec.json.encode(messages).decode()))


@segment_group.command("sync")
@click.option("--app", "app_id", required=True, help="The app's id.")
@click.option("--full", is_flag=True, help="Look at every user, not only at changed ones.")
@options
def sync(cli: Cli, app_id: str, full: bool) -> None:
    """Send what changed; nothing is ever sent twice."""
    with remote(cli) as api:
        result = _sync(api, app_id, full)
    rows = [(name, value) for name, value in msgspec.structs.asdict(result).items() if value != ""]
    cli.show(result, lambda: table(("", ""), rows, ""))
    if result.error:
        raise UnavailableError(result.error, hint="What was not delivered waits and is sent again.")


def _sync(api: Remote, app_id: str, full: bool) -> RunResult:
    answer = api.post(f"{_path(app_id)}/sync?{urlencode({'full': str(full).lower()})}")
    return msgspec.convert(answer, RunResult)


@segment_group.command("status")
@click.option("--app", "app_id", required=True, help="The app's id.")
@options
def status(cli: Cli, app_id: str) -> None:
    """Show where it sends, how far it is, what waits and what was refused."""
    with remote(cli) as api:
        answer = msgspec.convert(api.get(f"{_path(app_id)}/status"), SegmentStatus)
    cli.show(answer, lambda: table(("", ""), _lines(answer), ""))


def _lines(of: SegmentStatus) -> list[tuple[str, Any]]:
    last = of.runs[0] if of.runs else None
    lines = {
        "endpoint": f"{of.endpoint} (built-in)" if of.built_in else of.endpoint,
        "partner key": of.partner_key,
        "payload version": of.payload_version,
        "state": "on" if of.enabled else "paused",
        "messages": ", ".join(f"{count} {state}" for state, count in of.messages.items()),
        "last run": f"{last.started_at:%Y-%m-%d %H:%M:%S} UTC, {last.state}" if last else "none",
        "next run": f"{of.next_run_at:%Y-%m-%d %H:%M:%S} UTC" if of.next_run_at else "none",
        "last error": of.last_error or "none",
        **{f"refused {item.user_id}": item.error for item in of.dead},
    }
    return list(lines.items())


def _path(app_id: str) -> str:
    return f"/api/v1/apps/{quote(app_id, safe='')}/extensions/segment"
