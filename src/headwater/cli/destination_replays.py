"""`headwater destinations replay, replays, cancel-replay`: what is delivered once more.

In: a destination, a range of time. Out: how many dead letters are tried again, or a replay of what
the log still holds, and how far it is. Asks the server.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from headwater.base.errors import InvalidInputError
from headwater.cli.common import Cli, options, remote, table
from headwater.destinations import MESSAGE_TYPES

_COLUMNS = ("id", "state", "from", "to", "types", "messages")


@click.command("replay")
@click.argument("destination_id")
@click.option("--all", "is_all", is_flag=True, help="All that the log holds, not dead letters.")
@click.option("--from", "since", type=click.DateTime(), help="At or after this (UTC).")
@click.option("--to", "until", type=click.DateTime(), help="Before this (UTC).  [default: now]")
@click.option("--type", "types", multiple=True, type=click.Choice(MESSAGE_TYPES), help="Of --all.")
@options
def replay(
    cli: Cli,
    destination_id: str,
    is_all: bool,
    since: datetime | None,
    until: datetime | None,
    types: tuple[str, ...],
) -> None:
    """Deliver once more: dead letters, or with --all whatever was received in a range of time.

    Of dead letters the range is that of their first attempt.

    Example: headwater destinations replay DESTINATION_ID --all --from 2026-11-20 --type track
    """
    span = {name: _utc(at) for name, at in (("from", since), ("to", until)) if at}
    if is_all:
        _begin(cli, destination_id, {**span, "types": list(types)})
        return
    if types:
        raise InvalidInputError("Types choose among all messages.", field="--type", hint="--all")
    with remote(cli) as api:
        done = api.post(_path(destination_id, "replay"), span)
    cli.show(done, lambda: f"{done['replayed']} messages will be tried again.")


@click.command("replays")
@click.argument("destination_id")
@options
def replays(cli: Cli, destination_id: str) -> None:
    """Show the newest replays, and how far they are."""
    with remote(cli) as api:
        found = api.get(_path(destination_id, "replays"))
    rows = [_row(one) for one in found]
    cli.show(found, lambda: table(_COLUMNS, rows, "Nothing was replayed yet."))


@click.command("cancel-replay")
@click.argument("destination_id")
@click.argument("replay_id")
@options
def cancel(cli: Cli, destination_id: str, replay_id: str) -> None:
    """Put no more in line; what is in line is delivered."""
    with remote(cli) as api:
        path = _path(destination_id, f"replays/{quote(replay_id, safe='')}")
        found = api.ask("DELETE", path)
    cli.show(found, lambda: table(_COLUMNS, [_row(found)], ""))


def _begin(cli: Cli, destination_id: str, wanted: dict[str, Any]) -> None:
    if "from" not in wanted:
        raise InvalidInputError("Say from when on.", field="--from")
    with remote(cli) as api:
        begun = api.post(_path(destination_id, "replays"), wanted)
    cli.show(begun, lambda: table(_COLUMNS, [_row(begun)], ""))


def _row(of: dict[str, Any]) -> list[object]:
    types = ", ".join(of["types"]) or "all"
    return [of["id"], of["state"], of["since"], of["until"], types, of["messages"]]


def _utc(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat()


def _path(destination_id: str, what: str) -> str:
    return f"/api/v1/destinations/{quote(destination_id, safe='')}/{what}"


COMMANDS = (replay, replays, cancel)
