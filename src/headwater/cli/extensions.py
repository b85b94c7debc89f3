"""`headwater extensions`: send each user's API activity to other systems.

In: arguments; the secret perhaps on standard input. Out: connections and how they are doing. Asks
the running server, or one started for the command. There is one group of commands for each entry of
the gallery, and the options of `connect` are the settings that the entry declares.
"""

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from headwater.cli.common import Cli, options, remote, table
from headwater.cli.extensions_shown import Command, app_option, path_of, status_lines
from headwater.cli.sending import COMMANDS as SENDING
from headwater.extensions import (
    GALLERY,
    ExtensionType,
    Setting,
    Status,
    list_connections,
    read_condition,
)
from headwater.workspace import list_apps


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


def _connect(entry: ExtensionType) -> click.Command:
    @options
    def connect(cli: Cli, app_id: str, no_check: bool, **values: Any) -> None:
        """Connect an app, or change how it is connected; pausing ends.

        The secret is tried at the endpoint before anything is saved. To change a setting of a
        connected app leave the secret out: it stays what it was.
        """
        given = {name: value for name, value in values.items() if value not in (None, ())}
        secret = entry.secret.name
        if given.get(secret) == "-":
            given[secret] = sys.stdin.readline().strip()
        question = urlencode({"check": str(not no_check).lower()})
        with remote(cli) as api:
            _show(cli, api.put(f"{path_of(app_id, entry)}?{question}", given))

    command: Command = connect
    for setting in reversed(entry.settings):
        command = _setting_option(setting)(command)
    unchecked = click.option(
        "--no-check", is_flag=True, help="Save without asking the endpoint about the secret."
    )
    return click.command("connect")(app_option(unchecked(command)))


def _setting_option(setting: Setting) -> Callable[[Command], Command]:
    name = f"--{setting.name.replace('_', '-')}"
    text = setting.description + (" - reads it from standard input." if setting.secret else "")
    if setting.kind == "flag":
        return click.option(f"{name}/--no-{name[2:]}", setting.name, default=None, help=text)
    kind = click.Choice(setting.choices) if setting.choices else str
    is_list = setting.kind == "list"
    return click.option(name, setting.name, type=kind, multiple=is_list, help=text)


def _pause(entry: ExtensionType) -> click.Command:
    return _change(entry, "pause", "Send nothing until resumed; what waits stays.")


def _resume(entry: ExtensionType) -> click.Command:
    return _change(entry, "resume", "Send again.")


def _change(entry: ExtensionType, verb: str, text: str) -> click.Command:
    @app_option
    @options
    def change(cli: Cli, app_id: str) -> None:
        with remote(cli) as api:
            _show(cli, api.post(f"{path_of(app_id, entry)}/{verb}"))

    return click.command(verb, help=text)(change)


def _schedule(entry: ExtensionType) -> click.Command:
    @click.command("schedule")
    @click.argument("schedule")
    @app_option
    @options
    def schedule(cli: Cli, app_id: str, schedule: str) -> None:
        """Change when it syncs by itself.

        SCHEDULE is `every 5 minutes`, `hourly` (on the hour), `daily 03:00` (the app's time),
        `live` (within seconds of a change), or empty for the server's default.
        """
        with remote(cli) as api:
            _show(cli, api.put(f"{path_of(app_id, entry)}/schedule", {"schedule": schedule}))

    return schedule


def _choose(entry: ExtensionType) -> click.Command:
    @click.command("choose")
    @click.option("--where", multiple=True, help="A condition; repeat it for several, all hold.")
    @click.option("--cohort", default="", help="A cohort, by id or name; see `cohorts`.")
    @app_option
    @options
    def choose(cli: Cli, app_id: str, where: tuple[str, ...], cohort: str) -> None:
        """Change whom it sends: a cohort, or who meets conditions; without any, everybody.

        A condition is `FIELD TEST VALUE`, such as `email ends_with @example.com`,
        `metadata.plan is pro`, `company.metadata.tier is_not free`, `last_seen within_days 30`,
        `calls at_least 1` (on the last complete day) or `email exists`.
        """
        conditions = [msgspec.to_builtins(read_condition(text)) for text in where]
        wanted = {"conditions": conditions, "cohort": cohort}
        with remote(cli) as api:
            _show(cli, api.put(f"{path_of(app_id, entry)}/audience", wanted))

    return choose


def _show(cli: Cli, answer: Any) -> None:
    status = msgspec.convert(answer, Status)
    cli.show(status, lambda: table(("", ""), status_lines(status), ""))


for _entry in GALLERY:
    _group = click.Group(_entry.type, help=_entry.description)
    extensions.add_command(_group)
    for _make in (_connect, _pause, _resume, _schedule, _choose, *SENDING):
        _group.add_command(_make(_entry))
