"""`headwater apps`: the APIs under observation and their collector application ids.

In: arguments. Out: apps. Works on the configuration database, whether or not a server runs; but for
`enrich`, which asks the server.
"""

from urllib.parse import quote

import click

from headwater.cli.common import Cli, options, remote, table
from headwater.cli.masking import masking
from headwater.cli.profile_rules import profiles
from headwater.cli.sampling import sampling
from headwater.workspace import (
    App,
    collector_key,
    create_app,
    get_app,
    list_apps,
    rotate_collector_key,
)


@click.group()
def apps() -> None:
    """The APIs under observation."""


apps.add_command(masking)
apps.add_command(profiles)
apps.add_command(sampling)


def _as_result(app: App, key: str) -> dict[str, str]:
    return {
        "app_id": app.id,
        "name": app.name,
        "timezone": app.timezone,
        "collector_application_id": key,
    }


def _show_one(cli: Cli, result: dict[str, str]) -> None:
    cli.show(result, lambda: table(("", ""), list(result.items()), ""))


@apps.command("create")
@click.argument("name")
@click.option("--timezone", default="UTC", show_default=True, help="IANA zone of days and weeks.")
@options
def create(cli: Cli, name: str, timezone: str) -> None:
    """Add an app NAME and show its collector application id."""
    with cli.configuration() as connection:
        app, key = create_app(connection, cli.vault, cli.clock, name, timezone)
    _show_one(cli, _as_result(app, key))


@apps.command("list")
@options
def list_(cli: Cli) -> None:
    """Show all apps with their collector application ids."""
    with cli.configuration() as connection:
        found = [
            _as_result(app, collector_key(connection, cli.vault, app.id))
            for app in list_apps(connection)
        ]
    columns = ("app_id", "name", "timezone", "collector_application_id")
    cli.show(found, lambda: table(columns, [[row[c] for c in columns] for row in found], ""))


@apps.command("enrich")
@click.argument("app_id")
@click.option("--source", required=True, help="Slug or id of the source that tells of users.")
@options
def enrich(cli: Cli, app_id: str, source: str) -> None:
    """Let what a source receives describe the users and companies of APP_ID.

    From now on, and until the destination that this adds is removed: see `destinations`.
    """
    with remote(cli) as api:
        path = f"/api/v1/apps/{quote(app_id, safe='')}/enrichments"
        added = api.post(path, {"source": source})
    shown = [(name, added[name]) for name in ("id", "type", "name", "enabled")]
    cli.show(added, lambda: table(("", ""), shown, ""))


@apps.command("rotate")
@click.argument("app_id")
@options
def rotate(cli: Cli, app_id: str) -> None:
    """Make a new collector application id; the newest earlier one goes on working."""
    with cli.configuration() as connection:
        key = rotate_collector_key(connection, cli.vault, cli.clock, app_id)
        app = get_app(connection, app_id)
    _show_one(cli, _as_result(app, key))
