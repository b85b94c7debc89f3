"""`headwater privacy`: suppress and delete users by their ids, wherever they were brought.

In: user ids, as arguments or one a line in a file. Out: regulations and where they stand. Asks the
running server, which carries them out.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.console import Group

from headwater.cli.common import Cli, options, remote, table

_WHERE = "/api/v1/regulations"
_FROM = click.option(
    "--from-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take user ids from here too, one a line.",
)


@click.group()
def privacy() -> None:
    """Suppress and delete users everywhere."""


@privacy.command("suppress")
@click.argument("user_ids", nargs=-1)
@_FROM
@options
def suppress(cli: Cli, user_ids: tuple[str, ...], from_file: Path | None) -> None:
    """Let nothing in for USER_IDS, and bring nothing of before anywhere."""
    _ask(cli, "suppress", user_ids, from_file)


@privacy.command("unsuppress")
@click.argument("user_ids", nargs=-1)
@_FROM
@options
def unsuppress(cli: Cli, user_ids: tuple[str, ...], from_file: Path | None) -> None:
    """Let new messages of USER_IDS in again."""
    _ask(cli, "unsuppress", user_ids, from_file)


@privacy.command("delete")
@click.argument("user_ids", nargs=-1)
@_FROM
@click.option("--suppress", "stays_out", is_flag=True, help="Also let nothing in any more.")
@options
def delete(cli: Cli, user_ids: tuple[str, ...], from_file: Path | None, *, stays_out: bool) -> None:
    """Delete USER_IDS from warehouses, and at destinations that can delete."""
    _ask(cli, "suppress_with_delete" if stays_out else "delete_only", user_ids, from_file)


@privacy.command("list")
@click.option("--limit", default=20, show_default=True, help="So many, the newest first.")
@options
def list_(cli: Cli, limit: int) -> None:
    """List regulations, the newest first."""
    with remote(cli) as api:
        found = api.get(f"{_WHERE}?limit={limit}")["items"]
    columns = ("id", "kind", "users", "state", "created_at")
    rows = [[one[column] for column in columns] for one in found]
    cli.show(found, lambda: table(columns, rows, "Nothing was asked yet."))


@privacy.command("show")
@click.argument("regulation")
@options
def show(cli: Cli, regulation: str) -> None:
    """Show what became of REGULATION at each target."""
    with remote(cli) as api:
        found = api.get(f"{_WHERE}/{quote(regulation, safe='')}")
    _tell(cli, found)


@privacy.command("suppressed")
@options
def suppressed(cli: Cli) -> None:
    """List whom no message may enter for; only fingerprints of their ids are kept."""
    with remote(cli) as api:
        found = api.get("/api/v1/suppressed-users?limit=1000")["items"]
    rows = [(one["fingerprint"], one["created_at"]) for one in found]
    cli.show(found, lambda: table(("fingerprint", "since"), rows, "Nobody."))


def _ask(cli: Cli, kind: str, user_ids: tuple[str, ...], from_file: Path | None) -> None:
    lines = from_file.read_text("utf-8").splitlines() if from_file else []
    whom = [*user_ids, *(line.strip() for line in lines if line.strip())]
    with remote(cli) as api:
        _tell(cli, api.post(_WHERE, {"kind": kind, "user_ids": whom}))


def _tell(cli: Cli, found: dict[str, Any]) -> None:
    columns = ("kind", "name", "state", "word")
    rows = [[one[column] for column in columns] for one in found["targets"]]
    head = f"{found['id']}: {found['kind']}, {found['users']} users, {found['state']}"
    cli.show(found, lambda: Group(head, table(columns, rows, "Nothing more is to be done.")))
