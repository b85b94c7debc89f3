"""`headwater sources`: where messages come from, and their write keys.

In: arguments. Out: sources. Works on the configuration database, whether or not a server runs.
"""

import click

from headwater.cli.common import Cli, options, table
from headwater.cli.source_facts import block, figures, let_in, refused, schema
from headwater.sources import (
    CATALOG,
    Source,
    add_source,
    list_sources,
    rename_source,
    revoke_old_write_key,
    rotate_write_key,
    set_source_enabled,
)

_COLUMNS = ("id", "slug", "type", "name", "payload_version", "enabled", "write_key")


@click.group()
def sources() -> None:
    """Where messages come from."""


def _as_result(source: Source) -> dict[str, object]:
    return {column: getattr(source, column) for column in _COLUMNS}


def _show_one(cli: Cli, source: Source) -> None:
    result = _as_result(source)
    cli.show(result, lambda: table(("", ""), list(result.items()), ""))


@sources.command("catalog")
@options
def catalog(cli: Cli) -> None:
    """Show the types of source that can be added."""
    cli.show(
        CATALOG,
        lambda: table(
            ("type", "title", "category", "payload versions"),
            [(t.type, t.title, t.category, ", ".join(t.payload_versions)) for t in CATALOG],
            "",
        ),
    )


@sources.command("add")
@click.option("--type", "kind", required=True, help="A type of `headwater sources catalog`.")
@click.option("--name", required=True, help="Nickname; the slug is made from it.")
@click.option(
    "--payload-version", default="", help="Of api-analytics: current or 2019.  [default: current]"
)
@options
def add(cli: Cli, kind: str, name: str, payload_version: str) -> None:
    """Add a source and show its write key; it is live at once."""
    with cli.configuration() as connection:
        source = add_source(connection, cli.clock, kind, name, payload_version)
    _show_one(cli, source)


@sources.command("list")
@options
def list_(cli: Cli) -> None:
    """Show all sources with their newest write keys."""
    with cli.configuration() as connection:
        found = [_as_result(source) for source in list_sources(connection)]
    columns = ("slug", "type", "enabled", "write_key")
    rows = [[row[column] for column in columns] for row in found]
    cli.show(found, lambda: table(columns, rows, "There is no source yet."))


@sources.command("rotate")
@click.argument("source")
@options
def rotate(cli: Cli, source: str) -> None:
    """Make a new write key for SOURCE; the newest earlier one goes on working."""
    with cli.configuration() as connection:
        changed = rotate_write_key(connection, cli.clock, source)
    _show_one(cli, changed)


@sources.command("revoke-old-key")
@click.argument("source")
@options
def revoke_old_key(cli: Cli, source: str) -> None:
    """Stop the older of two live write keys of SOURCE."""
    with cli.configuration() as connection:
        changed = revoke_old_write_key(connection, cli.clock, source)
    _show_one(cli, changed)


@sources.command("rename")
@click.argument("source")
@click.option("--name", required=True, help="The new nickname; the slug stays.")
@options
def rename(cli: Cli, source: str, name: str) -> None:
    """Give SOURCE (slug or id) another name."""
    with cli.configuration() as connection:
        changed = rename_source(connection, source, name)
    _show_one(cli, changed)


@sources.command("enable")
@click.argument("source")
@options
def enable(cli: Cli, source: str) -> None:
    """Let SOURCE (slug or id) receive."""
    with cli.configuration() as connection:
        changed = set_source_enabled(connection, source, enabled=True)
    _show_one(cli, changed)


@sources.command("disable")
@click.argument("source")
@options
def disable(cli: Cli, source: str) -> None:
    """Refuse what is sent to SOURCE (slug or id)."""
    with cli.configuration() as connection:
        changed = set_source_enabled(connection, source, enabled=False)
    _show_one(cli, changed)


for _command in (figures, refused, schema, block, let_in):
    sources.add_command(_command)
