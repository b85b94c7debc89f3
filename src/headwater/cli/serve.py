"""`headwater serve`, `migrate`, `doctor` and `status`: run the server and look after it.

In: arguments. Out: a running server that drains on SIGTERM, or what was checked.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
import uvloop

from headwater.base.settings import Settings, load_settings
from headwater.base.telemetry import set_up_logging
from headwater.cli.common import HEALTH, Cli, options, remote, table

_SWITCH_S = 0.0002
"""How soon a thread that works through a batch lets the event loop go on, and so those who wait
for an answer: by default 25 times as late, at each of the many turns of a request. Much sooner
costs the Tracking API more turns than calls gain."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.  [default: 8000]")
@click.option(
    "--role", default="", help="Only these, comma-separated: collector,tracking,web,ingest,…"
)
@click.option("--json", "as_json", is_flag=True, help="The ready line is JSON in any case.")
@click.option("--log-level", default="info", show_default=True)
def serve(
    data: Path | None, host: str | None, port: int | None, role: str, as_json: bool, log_level: str
) -> None:
    """Run the server until SIGTERM or Ctrl-C.

    When everything is ready, one JSON line on standard output says so.
    """
    del as_json  # accepted for symmetry: there is only the one form
    set_up_logging(log_level)
    flags = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(data, {"server": flags})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, role))


async def _serve(settings: Settings, role: str) -> None:
    from headwater.app import parse_roles, running

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with running(settings, roles=parse_roles(role)) as server:
        _spare_what_lasts()
        sys.setswitchinterval(_SWITCH_S)
        sys.stdout.write(msgspec.json.encode(server.ready_line()).decode() + "\n")
        sys.stdout.flush()
        if server.setup_url:
            click.echo(f"Nobody can log in yet. Make the first login: {server.setup_url}", err=True)
        await stopping.wait()


def _spare_what_lasts() -> None:
    """Keep the garbage collector from what lives as long as the process: modules, schemas, doors.

    Records hold no cycles, so it has little to find; by default it would look after every few
    hundred objects, in the middle of each batch.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@click.command("migrate")
@options
def migrate_command(cli: Cli) -> None:
    """Bring stored data to this version's shape; `serve` does it too."""
    with cli.configuration():
        pass
    with remote(cli) as api:
        done = api.get("/api/v1/status")
    result = {"migrated": True, "version": done["version"]}
    cli.show(result, lambda: f"Everything is at version {done['version']}.")


@click.command()
@options
def doctor(cli: Cli) -> None:
    """Check that log, store, configuration and disk are usable."""
    with remote(cli) as api:
        health = api.get(HEALTH)
    rows = [
        (name, "yes" if check["ok"] else "NO", check["ms"], check["hint"])
        for name, check in health["checks"].items()
    ]
    cli.show(health, lambda: table(("check", "ok", "ms", "advice"), rows, ""))
    if not health["ok"]:
        sys.exit(1)


@click.command()
@options
def status(cli: Cli) -> None:
    """Show how far everything has come, and which warehouses need somebody."""
    with remote(cli) as api:
        found = api.get("/api/v1/status")
    ends = {name: stream["last_offset"] for name, stream in found["streams"].items()}
    rows = [
        (name, f"reads {one['stream']}", _waiting(one, ends), "")
        for name, one in found["readers"].items()
        if not name.startswith("warehouse:")
    ]
    rows += [
        (f"warehouse {one['name']}", one["state"], one["waiting_entries"], _told_of(one))
        for one in found["warehouses"]
    ]
    columns = ("what", "state", "entries waiting", "why")
    cli.show(found, lambda: table(columns, rows, "Nothing reads the log yet."))


def _waiting(reader: Mapping[str, Any], ends: Mapping[str, int]) -> int | str:
    """Return how much of its stream of the log a reader has not read; links are none of the log."""
    end = ends.get(reader["stream"])
    return "" if end is None else max(0, end - reader["next_offset"] + 1)


def _told_of(warehouse: Mapping[str, Any]) -> str:
    held = f"holds back the log since {warehouse['waiting_since']}"
    parts = (warehouse["error"], held if warehouse["holds_log"] else "")
    return "; ".join(part for part in parts if part)
