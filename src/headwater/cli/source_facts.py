"""`headwater sources figures`, `refused`, `schema`, `block`, `let-in`: what a source lets in.

In: a source and names. Out: tables or JSON. Works on the configuration database, whether or not a
server runs.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import click

from headwater.cli.common import Cli, options, table
from headwater.sources import (
    NO_SOURCE,
    Event,
    Figures,
    Rule,
    Source,
    add_hours,
    add_rule,
    get_source,
    list_refused,
    list_rules,
    read_hours,
    read_rule,
    read_schema,
    remove_rule,
)

_TYPE = click.option(
    "--type",
    "type_",
    type=click.Choice(("track", "page", "screen", "identify", "group", "alias")),
    default="track",
    show_default=True,
    help="Of the messages.",
)
_EVENT = click.option("--event", default="", help="Name of the event, page or screen.")
_NAME = click.option("--name", default="", help="A property or trait; empty: the whole message.")


@click.command("figures")
@click.argument("source")
@click.option("--hours", type=click.IntRange(1, 90 * 24), default=24, show_default=True)
@options
def figures(cli: Cli, source: str, hours: int) -> None:
    """Count what SOURCE received, by the hour, and why some did not enter."""
    with cli.configuration() as connection:
        found = get_source(connection, source)
        now = cli.clock.now()
        some = read_hours(connection, found.id, now - timedelta(hours=hours), now)
    total = add_hours(some)
    columns = ("hour", "received", "entered", "duplicate", "blocked", "suppressed", "refused")
    rows = [_counts(hour.hour, hour.figures) for hour in some]
    result = {"total": total, "hours": some}
    cli.show(
        result, lambda: table(columns, [*rows, _counts("total", total)], "") if rows else _NOTHING
    )


_NOTHING = "Nothing was received in these hours."


def _counts(when: datetime | str, of: Figures) -> list[object]:
    return [
        when, of.received, of.entered, of.duplicate, of.blocked, of.suppressed,
        ", ".join(f"{count} {code}" for code, count in of.reasons.items()) or 0,
    ]  # fmt: skip


@click.command("refused")
@click.argument("source", default="")
@options
def refused(cli: Cli, source: str) -> None:
    """Show samples of what SOURCE refused; without SOURCE, what came with unknown write keys."""
    with cli.configuration() as connection:
        whose = get_source(connection, source).id if source else NO_SOURCE
        found = list_refused(connection, whose)
    rows = [(one.at, one.code, one.reason, one.sample[:80]) for one in found]
    cli.show(found, lambda: table(("at", "code", "reason", "sample"), rows, "Nothing was refused."))


@click.command("schema")
@click.argument("source")
@options
def schema(cli: Cli, source: str) -> None:
    """Show which events, properties and traits SOURCE sends: names, never values."""
    with cli.configuration() as connection:
        found = read_schema(connection, get_source(connection, source).id)
    columns = ("type", "event", "property or trait", "count", "last seen", "let in")
    rows = [row for event in found.events for row in _lines(event)]
    cli.show(found, lambda: table(columns, rows, "Nothing was received yet."))


def _lines(event: Event) -> Iterable[list[object]]:
    for one in (event, *event.properties):
        name = "" if one is event else one.name
        let_in = "yes" if one.allowed else "no"
        yield [event.type, event.name, name, one.count, one.last_seen_at or "", let_in]


@click.command("block")
@click.argument("source")
@_TYPE
@_EVENT
@_NAME
@options
def block(cli: Cli, source: str, type_: str, event: str, name: str) -> None:
    """Keep an event, or one of its properties or traits, of SOURCE out from now on.

    What is kept out never reaches the log: nobody can bring it back.
    """
    with cli.configuration() as connection:
        found = get_source(connection, source)
        add_rule(connection, cli.clock, found.id, read_rule(type_, event, name))
        rules = list_rules(connection, found.id)
    _show_rules(cli, found, rules)


@click.command("let-in")
@click.argument("source")
@_TYPE
@_EVENT
@_NAME
@options
def let_in(cli: Cli, source: str, type_: str, event: str, name: str) -> None:
    """Let in again what `block` kept out of SOURCE."""
    with cli.configuration() as connection:
        found = get_source(connection, source)
        remove_rule(connection, found.id, read_rule(type_, event, name))
        rules = list_rules(connection, found.id)
    _show_rules(cli, found, rules)


def _show_rules(cli: Cli, source: Source, rules: list[Rule]) -> None:
    rows = [(rule.type, rule.event, rule.name or "(the whole message)") for rule in rules]
    columns = ("type", "event", "kept out")
    cli.show(rules, lambda: table(columns, rows, f"{source.slug} lets everything in."))
