"""`headwater warehouses`: databases of the team into which messages are loaded as tables.

In: arguments. Out: warehouses and what their syncs did. Everything is asked of the running server,
or of one started for the command: it alone tries a connection before it keeps it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from headwater.cli.common import Cli, options, read_pairs, remote, table
from headwater.warehouse import TYPES, Sync

_ALL = "/api/v1/warehouses"
_COLUMNS = ("id", "type", "name", "source", "enabled", "failures")


@click.group()
def warehouses() -> None:
    """Databases into which messages are loaded as tables."""


@warehouses.command("add")
@click.option("--type", "type_", required=True, type=click.Choice(TYPES), help="Which database.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting; repeatable.")
@click.option("--source", default="", help="Slug or id of one source.  [default: all sources]")
@click.option("--name", default="", help="Nickname.  [default: the type]")
@options
def add(cli: Cli, type_: str, pairs: tuple[str, ...], source: str, name: str) -> None:
    """Add a warehouse that lets us in; it gets all messages that the log holds, and the coming."""
    body = {"type": type_, "settings": _read_settings(pairs), "source": source, "name": name}
    with remote(cli) as api:
        added = api.post(_ALL, body)
    cli.show(added, lambda: table(("", ""), _lines(added), ""))


@warehouses.command("list")
@options
def list_(cli: Cli) -> None:
    """Show all warehouses."""
    with remote(cli) as api:
        found = api.get(f"{_ALL}?limit=1000")["items"]
    rows = [
        [row["source"] or "all" if c == "source" else row[c] for c in _COLUMNS] for row in found
    ]
    cli.show(found, lambda: table(_COLUMNS, rows, "There is no warehouse yet."))


@warehouses.command("sync")
@click.argument("warehouse_id")
@options
def sync(cli: Cli, warehouse_id: str) -> None:
    """Load everything that the log holds by now."""
    with remote(cli) as api:
        answer = api.post(f"{_path(warehouse_id)}/sync")
    done = msgspec.convert(answer, Sync)
    rows = list(done.rows.items())
    cli.show(done, lambda: table(("table", "rows"), rows, "Nothing new to load."))


@warehouses.command("history")
@click.argument("warehouse_id")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many syncs."
)
@options
def history(cli: Cli, warehouse_id: str, limit: int) -> None:
    """Show the latest syncs, newest first."""
    with remote(cli) as api:
        page = api.get(f"{_path(warehouse_id)}/syncs?limit={limit}")
    syncs = msgspec.convert(page["items"], list[Sync])
    rows = [
        (f"{one.started_at:%Y-%m-%d %H:%M:%S}", one.state, sum(one.rows.values()), _notices(one))
        for one in syncs
    ]
    columns = ("started (UTC)", "state", "rows", "notices")
    cli.show(syncs, lambda: table(columns, rows, "Nothing was loaded yet."))


@warehouses.command("show")
@click.argument("warehouse_id")
@options
def show(cli: Cli, warehouse_id: str) -> None:
    """Show one warehouse: its settings, parked tables, rows by day."""
    with remote(cli) as api:
        found = api.get(_path(warehouse_id))
    lines = [
        *_lines(found["warehouse"]),
        *((_told(one), one["error"]) for one in found["rereads"]),
        *((f"rows on {day}", str(rows)) for day, rows in found["rows_by_day"].items()),
    ]
    cli.show(found, lambda: table(("", ""), lines, ""))


@warehouses.command("set")
@click.argument("warehouse_id")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting; repeatable.")
@click.option("--name", default=None, help="Nickname.")
@click.option("--schedule", default=None, help="`every 5 minutes`, `hourly`, `daily 03:00` (UTC).")
@click.option("--pause/--resume", "is_paused", default=None, help="Whether it loads by itself.")
@click.option("--exclude", multiple=True, help="schema[.table[.column]] to leave out; repeatable.")
@click.option("--include-all", is_flag=True, help="Leave nothing out any more.")
@options
def set_(
    cli: Cli,
    warehouse_id: str,
    pairs: tuple[str, ...],
    name: str | None,
    schedule: str | None,
    is_paused: bool | None,
    exclude: tuple[str, ...],
    include_all: bool,
) -> None:
    """Change a warehouse; settings must let us in, a secret left out stays."""
    change: dict[str, object] = {"name": name, "schedule": schedule}
    if is_paused is not None:
        change["enabled"] = not is_paused
    with remote(cli) as api:
        if pairs:
            known = api.get(_path(warehouse_id))["warehouse"]["settings"]
            shown = {key: value for key, value in known.items() if not value.startswith("••••")}
            change["settings"] = shown | _read_settings(pairs)
        if exclude or include_all:
            change["excluded"] = list(exclude)
        given = {key: value for key, value in change.items() if value is not None}
        changed = api.ask("PATCH", _path(warehouse_id), given)
    cli.show(changed, lambda: table(("", ""), [("changed", changed["name"])], ""))


@warehouses.command("backfill")
@click.argument("warehouse_id")
@click.option("--source", default="", help="Slug or id of one source.  [default: all]")
@options
def backfill(cli: Cli, warehouse_id: str, source: str) -> None:
    """Load again all that the log still holds; older messages are no longer there."""
    with remote(cli) as api:
        begun = api.post(f"{_path(warehouse_id)}/backfill", {"source": source})
    cli.show(begun, lambda: table(("", ""), [("backfill", "begins within seconds")], ""))


@warehouses.command("tables")
@click.argument("warehouse_id")
@options
def tables(cli: Cli, warehouse_id: str) -> None:
    """Ask the warehouse for its tables."""
    with remote(cli) as api:
        found = api.get(f"{_path(warehouse_id)}/tables")
    rows = [
        (f"{schema}.{name}", len(columns))
        for schema, of_it in found.items()
        for name, columns in of_it.items()
    ]
    cli.show(found, lambda: table(("table", "columns"), rows, "Nothing was loaded yet."))


@warehouses.command("remove")
@click.argument("warehouse_id")
@options
def remove(cli: Cli, warehouse_id: str) -> None:
    """Forget a warehouse; its tables stay as they are."""
    with remote(cli) as api:
        api.ask("DELETE", _path(warehouse_id))
    cli.show({"removed": warehouse_id}, lambda: table(("", ""), [("removed", warehouse_id)], ""))


def _path(warehouse_id: str) -> str:
    return f"{_ALL}/{quote(warehouse_id, safe='')}"


def _read_settings(pairs: Sequence[str]) -> dict[str, str]:
    """Return the settings; a relative path is meant from where the command runs."""
    values = read_pairs(pairs)
    if values.get("path"):
        values["path"] = str(Path(values["path"]).expanduser().resolve())
    return values


def _lines(warehouse: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        *((name, str(warehouse[name])) for name in ("id", "type", "name")),
        ("source", warehouse["source"] or "all"),
        ("loads", "by itself" if warehouse["enabled"] else "paused"),
        ("schedule", warehouse["schedule"] or "the server's"),
        ("failures in a row", str(warehouse["failures"])),
        *((f"setting {name}", value) for name, value in warehouse["settings"].items()),
        *(("left out", line) for line in warehouse["excluded"]),
    ]


def _told(reread: dict[str, str]) -> str:
    return f"parked {reread['table_name']}" if reread["table_name"] else "backfill"


def _notices(sync: Sync) -> str:
    return ", ".join(
        notice.get("message") or f"{notice['count']} {notice['code']}" for notice in sync.notices
    )
