"""`headwater destinations`: where messages go, and what became of them.

In: arguments. Out: destinations and their deliveries. Works on the configuration database, whether
or not a server runs; a running server notices changes within two seconds.
"""

import click
import msgspec

from headwater.base.egress import Egress, EgressRefusedError
from headwater.cli import destination_changes, destination_replays
from headwater.cli.common import Cli, options, read_pairs, table
from headwater.destinations import (
    DESTINATIONS,
    Instance,
    add_destination,
    check_settings,
    find_destination,
    get_destination,
    list_destinations,
    set_destination_enabled,
    show_settings,
)
from headwater.federation import (
    delivery_status,
    list_dead_letters,
    resume,
)
from headwater.sources import get_source, list_sources

_COLUMNS = ("id", "type", "name", "source", "enabled")
_EVERYWHERE = "0.0.0.0/0,::/0"


@click.group()
def destinations() -> None:
    """Where messages go."""


for _command in (*destination_changes.COMMANDS, *destination_replays.COMMANDS):
    destinations.add_command(_command)


@destinations.command("catalog")
@options
def catalog(cli: Cli) -> None:
    """Show the types of destination and their settings."""
    found = [destination.declaration for destination in DESTINATIONS]
    rows = [
        (d.type, s.name, "yes" if s.is_required else "", s.default, s.help)
        for d in found
        for s in d.settings
    ]
    cli.show(found, lambda: table(("type", "setting", "needed", "default", "what"), rows, ""))


@destinations.command("add")
@click.option("--type", "kind", required=True, help="A type of `headwater destinations catalog`.")
@click.option("--source", required=True, help="Slug or id of the source whose messages it gets.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting; repeatable.")
@click.option("--name", default="", help="Nickname.  [default: the type's title]")
@options
def add(cli: Cli, kind: str, source: str, pairs: tuple[str, ...], name: str) -> None:
    """Add a destination; it gets what its source receives from now on.

    Secrets that are made here are shown only now.
    """
    values = read_pairs(pairs)
    with cli.configuration() as connection:
        instance, made = add_destination(
            connection,
            cli.vault,
            cli.clock,
            Egress(_EVERYWHERE),
            source_id=get_source(connection, source).id,
            kind=kind,
            values=values,
            name=name,
        )
        result = _as_result(cli, instance, source) | made
    _warn_if_refused(cli, kind, values)
    cli.show(result, lambda: table(("", ""), list(result.items()), ""))


@destinations.command("list")
@options
def list_(cli: Cli) -> None:
    """Show all destinations; secrets are masked."""
    with cli.configuration() as connection:
        slugs = {source.id: source.slug for source in list_sources(connection)}
        found = [
            _as_result(cli, one, slugs[one.source_id]) for one in list_destinations(connection)
        ]
    rows = [[row[column] for column in _COLUMNS] for row in found]
    cli.show(found, lambda: table(_COLUMNS, rows, "There is no destination yet."))


@destinations.command("enable")
@click.argument("destination_id")
@options
def enable(cli: Cli, destination_id: str) -> None:
    """Let a destination get what its source receives from now on."""
    _switch(cli, destination_id, enabled=True)


@destinations.command("disable")
@click.argument("destination_id")
@options
def disable(cli: Cli, destination_id: str) -> None:
    """Stop a destination; it misses what passes meanwhile."""
    _switch(cli, destination_id, enabled=False)


@destinations.command("status")
@click.argument("destination_id")
@options
def status(cli: Cli, destination_id: str) -> None:
    """Show what was delivered, what waits and what is dead."""
    with cli.configuration() as connection:
        totals = msgspec.to_builtins(delivery_status(connection, destination_id))
    cli.show(totals, lambda: table(("", ""), list(totals.items()), ""))


@destinations.command("resume")
@click.argument("destination_id")
@options
def resume_(cli: Cli, destination_id: str) -> None:
    """Send again to a destination that is paused because it refused our key."""
    with cli.configuration() as connection:
        name = get_destination(connection, destination_id).name
        resume(connection, destination_id)
    cli.show({"id": destination_id}, lambda: f"{name} is tried again.")


@destinations.command("failures")
@click.argument("destination_id")
@click.option("--limit", default=100, show_default=True)
@options
def failures(cli: Cli, destination_id: str, limit: int) -> None:
    """Show dead letters with the reason of each."""
    with cli.configuration() as connection:
        letters = list_dead_letters(connection, destination_id, limit=limit)
    rows = [(d.message_id, d.type, d.user_id, d.status or "", d.error) for d in letters]
    columns = ("message", "type", "user", "status", "error")
    cli.show(letters, lambda: table(columns, rows, "There are no dead letters."))


def _warn_if_refused(cli: Cli, kind: str, values: dict[str, str]) -> None:
    """Only the server's own settings decide about addresses; ours may be others."""
    try:
        check_settings(find_destination(kind), values, Egress(cli.settings.egress.allow))
    except EgressRefusedError as err:
        click.echo(f"Note: with the settings of this command, {err.message}", err=True)


def _switch(cli: Cli, destination_id: str, *, enabled: bool) -> None:
    with cli.configuration() as connection:
        instance = set_destination_enabled(connection, cli.clock, destination_id, enabled=enabled)
        result = _as_result(cli, instance, get_source(connection, instance.source_id).slug)
    cli.show(result, lambda: table(("", ""), list(result.items()), ""))


def _as_result(cli: Cli, instance: Instance, source: str) -> dict[str, object]:
    return {
        "id": instance.id,
        "type": instance.type,
        "name": instance.name,
        "source": source,
        "enabled": instance.enabled,
        "settings": show_settings(cli.vault, instance),
    }
