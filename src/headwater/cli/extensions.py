"""`headwater extensions`: send each user's API activity to other systems.

In: arguments; the secret perhaps on standard input. Out: connections, previews, runs. Asks the
running server, or one started for the command. There is one group of commands for each entry of the
gallery, and the options of `connect` are the settings that the entry declares.
"""

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import click
import msgspec
from rich.json import JSON

from headwater.base.errors import UnavailableError
from headwater.cli.common import Cli, options, remote, table
from headwater.extensions import (
    GALLERY,
    MOST_PREVIEWED,
    ExtensionType,
    RunResult,
    Setting,
    Status,
    list_connections,
)
from headwater.workspace import list_apps

Command = Callable[..., None]


@click.group()
def extensions() -> None:
    """What is sent to other systems about each user."""


@extensions.command("list")
@options
def list_(cli: Cli) -> None:
    """Show the gallery, and which apps are connected."""
    with cli.configuration() as connection:
        names = {app.id: app.name for app in list_apps(connection)}
        found = list_connections(connection)
    entries: list[dict[str, Any]] = [
        {
            "type": entry.type,
            "title": entry.title,
            "description": entry.description,
            "apps": [
                {"app_id": c.app_id, "app": names[c.app_id], "enabled": c.enabled, **c.settings}
                for c in found
                if c.type == entry.type
            ],
        }
        for entry in GALLERY
    ]
    rows = [
        [e["type"], e["description"], ", ".join(a["app"] for a in e["apps"]) or "none"]
        for e in entries
    ]
    cli.show(entries, lambda: table(("type", "description", "connected apps"), rows, ""))


def _add_group(entry: ExtensionType) -> None:
    group = click.Group(entry.type, help=entry.description)
    extensions.add_command(group)
    for make in (_connect, _pause, _resume, _preview, _sync, _status):
        group.add_command(make(entry))


def _app_option(command: Command) -> Command:
    return click.option("--app", "app_id", required=True, help="The app's id.")(command)


def _setting_option(setting: Setting) -> Callable[[Command], Command]:
    name = f"--{setting.name.replace('_', '-')}"
    text = setting.description + (" - reads it from standard input." if setting.secret else "")
    if setting.kind == "flag":
        return click.option(f"{name}/--no-{name[2:]}", setting.name, default=None, help=text)
    kind = click.Choice(setting.choices) if setting.choices and setting.kind == "text" else str
    return click.option(
        name,
        setting.name,
        type=kind,
        multiple=setting.kind == "list",
        required=setting.required,
        help=text,
    )


def _connect(entry: ExtensionType) -> click.Command:
    @options
    def connect(cli: Cli, app_id: str, **values: Any) -> None:
        """Connect an app, or change how it is connected; pausing ends."""
        given = {name: value for name, value in values.items() if value not in (None, ())}
        secret = entry.secret.name
        if given.get(secret) == "-":
            given[secret] = sys.stdin.readline().strip()
        with remote(cli) as api:
            status = msgspec.convert(api.put(_path(app_id, entry), given), Status)
        cli.show(status, lambda: table(("", ""), _lines(status), ""))

    command: Command = connect
    for setting in reversed(entry.settings):
        command = _setting_option(setting)(command)
    return click.command("connect")(_app_option(command))


def _change(entry: ExtensionType, verb: str, text: str) -> click.Command:
    @_app_option
    @options
    def change(cli: Cli, app_id: str) -> None:
        with remote(cli) as api:
            status = msgspec.convert(api.post(f"{_path(app_id, entry)}/{verb}"), Status)
        cli.show(status, lambda: table(("", ""), _lines(status), ""))

    return click.command(verb, help=text)(change)


def _pause(entry: ExtensionType) -> click.Command:
    return _change(entry, "pause", "Send nothing until resumed; what waits stays.")


def _resume(entry: ExtensionType) -> click.Command:
    return _change(entry, "resume", "Send again.")


def _preview(entry: ExtensionType) -> click.Command:
    @click.command("preview")
    @_app_option
    @click.option("--user", "user_id", default="", help="Only this user, even when not due.")
    @click.option("--limit", default=MOST_PREVIEWED, show_default=True, help="Most messages.")
    @options
    def preview(cli: Cli, app_id: str, user_id: str, limit: int) -> None:
        """Print the exact messages that a sync would send now."""
        wanted = urlencode({"user_id": user_id, "limit": limit})
        with remote(cli) as api:
            messages = api.get(f"{_path(app_id, entry)}/preview?{wanted}")["messages"]
        cli.show(messages, lambda: JSON(msgspec.json.encode(messages).decode()))

    return preview


def _sync(entry: ExtensionType) -> click.Command:
    @click.command("sync")
    @_app_option
    @click.option("--full", is_flag=True, help="Look at every user, not only at changed ones.")
    @options
    def sync(cli: Cli, app_id: str, full: bool) -> None:
        """Send what changed; nothing is ever sent twice."""
        question = urlencode({"full": str(full).lower()})
        with remote(cli) as api:
            answer = api.post(f"{_path(app_id, entry)}/sync?{question}")
        result = msgspec.convert(answer, RunResult)
        rows = [(name, value) for name, value in answer.items() if value != ""]
        cli.show(result, lambda: table(("", ""), rows, ""))
        if result.error:
            hint = "What was not delivered waits and is sent again."
            raise UnavailableError(result.error, hint=hint)

    return sync


def _status(entry: ExtensionType) -> click.Command:
    @click.command("status")
    @_app_option
    @options
    def status(cli: Cli, app_id: str) -> None:
        """Show where it sends, how far it is, what waits and what was refused."""
        with remote(cli) as api:
            answer = msgspec.convert(api.get(f"{_path(app_id, entry)}/status"), Status)
        cli.show(answer, lambda: table(("", ""), _lines(answer), ""))

    return status


def _lines(of: Status) -> list[tuple[str, Any]]:
    last = of.runs[0] if of.runs else None
    lines = {
        "endpoint": f"{of.endpoint} (built-in)" if of.built_in else of.endpoint,
        **{name.replace("_", " "): value for name, value in of.settings.items()},
        "state": "on" if of.enabled else "paused",
        "messages": ", ".join(f"{count} {state}" for state, count in of.messages.items()),
        "last run": f"{last.started_at:%Y-%m-%d %H:%M:%S} UTC, {last.state}" if last else "none",
        "next run": f"{of.next_run_at:%Y-%m-%d %H:%M:%S} UTC" if of.next_run_at else "none",
        "last error": of.last_error or "none",
        **{f"refused {item.user_id}": item.error for item in of.dead},
    }
    return list(lines.items())


def _path(app_id: str, entry: ExtensionType) -> str:
    return f"/api/v1/apps/{quote(app_id, safe='')}/extensions/{entry.type}"


for _entry in GALLERY:
    _add_group(_entry)
