"""`headwater demo`: a whole Headwater with the traffic of an invented API.

In: a port, a size. Out: a running server with 90 days of history, everything connected, and live
traffic until Ctrl-C. A second start on the same directory loads nothing twice. Outbound requests
may reach 127.0.0.1 here: the receiver of the demo's webhook listens there.
"""

import asyncio
import shutil
import signal
import sys
from collections.abc import Coroutine
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import click
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from headwater.app import Running, running
from headwater.base.settings import Settings, load_settings
from headwater.base.telemetry import set_up_logging
from headwater.cli.common import Cli
from headwater.cli.demo_plan import DAYS, USERS, Plan, open_plan, write_plan
from headwater.cli.demo_wiring import EMAIL, Wired, settle, sync, wire
from headwater.demo import CollectorClient, Demo, LiveTraffic, WebhookReceiver, load_history
from headwater.warehouse import show_settings

_SEED = 2026
_CANCEL_AGAIN_S = 0.5
_RECEIVERS_NETWORK = "127.0.0.1/32"


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory.  [default: ./headwater-demo]"
)
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--users", type=click.IntRange(1, 100_000), help=f"How many people.  [default: {USERS}]"
)
@click.option("--days", type=click.IntRange(1, 290), help=f"How much history.  [default: {DAYS}]")
@click.option("--live/--no-live", default=True, help="Keep traffic flowing after the history.")
@click.option("--exit-when-loaded", is_flag=True, help="End when history is loaded and synced.")
@click.option("--json", "as_json", is_flag=True, help="The ready line is JSON in any case.")
def demo(
    data: Path | None,
    port: int,
    users: int | None,
    days: int | None,
    live: bool,
    exit_when_loaded: bool,
    as_json: bool,
) -> None:
    """Run Headwater with the traffic of an invented payments API.

    When the history is loaded, one JSON line on standard output says so.
    """
    del as_json  # accepted for symmetry: there is only the one form
    set_up_logging("warning")
    settings = _open_loopback(
        load_settings(data, {"server": {"port": port}}, default_data="headwater-demo")
    )
    settings.data.mkdir(parents=True, exist_ok=True)
    cli = Cli(settings=settings, as_json=False)
    plan = open_plan(settings.data, cli.clock.now(), users, days)
    asyncio.run(_run(cli, plan, live, exit_when_loaded))


def _open_loopback(settings: Settings) -> Settings:
    allow = ",".join(filter(None, (settings.egress.allow, _RECEIVERS_NETWORK)))
    egress = msgspec.structs.replace(settings.egress, allow=allow)
    return msgspec.structs.replace(settings, egress=egress)


async def _run(cli: Cli, plan: Plan, live: bool, exit_when_loaded: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with (
        WebhookReceiver(plan.webhook_secret, plan.receiver_port) as receiver,
        running(cli.settings) as server,
        aiohttp.ClientSession() as session,
    ):
        plan = _keep(cli, plan, receiver_port=receiver.port)
        wired = await wire(server.services, plan, receiver.url)
        _greet(cli, server, plan, wired)
        client = CollectorClient(session, server.url, wired.collector_key)
        history = Demo(seed=_SEED, end=plan.end, users=plan.users, days=plan.days)
        await _until(stopping, _load(cli, server, client, history, plan, wired))
        if stopping.is_set() or exit_when_loaded:
            return
        traffic = LiveTraffic(history, client, cli.clock)
        await _until(stopping, traffic.run() if live else _for_ever())


def _keep(cli: Cli, plan: Plan, **changes: Any) -> Plan:
    changed = msgspec.structs.replace(plan, **changes)
    write_plan(cli.settings.data, changed)
    return changed


async def _until(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Wait for the work, or for the wish to stop, whichever comes first."""
    task, stop = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        stop.cancel()
        task.result()
        return
    while not task.done():  # Python 3.11 loses a cancellation that meets the end of a wait
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCEL_AGAIN_S)


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _load(
    cli: Cli, server: Running, client: CollectorClient, history: Demo, plan: Plan, wired: Wired
) -> None:
    """Load what was not loaded before, wait until it can be asked for, sync, and say so."""
    if plan.loaded is None:
        with _progress(cli) as bar:
            task = bar.add_task("loading, newest days first", total=plan.days)

            def on_day(day: date, calls: int) -> None:
                bar.update(task, advance=1, description=f"{day}: {calls:>5,} calls")

            loaded = await load_history(history, client, on_day)
        plan = _keep(cli, plan, loaded=loaded)
    await settle(server.services)
    identifies = await sync(server.services, wired)
    _say_ready(server, plan, wired, identifies)
    _tell(cli, plan, wired)


def _progress(cli: Cli) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=cli.err, transient=True)


def _greet(cli: Cli, server: Running, plan: Plan, wired: Wired) -> None:
    login = (
        f"Log in as [bold]{EMAIL}[/bold] with the password [bold]{plan.password}[/bold]."
        if wired.can_log_in
        else "Log in as yourself."
    )
    cli.err.print(
        f"\nHeadwater is running at [bold]{server.url}[/bold]\n{login}\n"
        "Numbers appear while the history loads.\n",
        highlight=False,
        soft_wrap=True,
    )


def _say_ready(server: Running, plan: Plan, wired: Wired, identifies: int) -> None:
    line = {
        **server.ready_line(),
        "app_id": wired.app.id,
        "collector_application_id": wired.collector_key,
        **msgspec.to_builtins(plan.loaded),
        "identifies": identifies,
        "warehouse": show_settings(wired.warehouse.settings)["path"],
    }
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


def _tell(cli: Cli, plan: Plan, wired: Wired) -> None:
    loaded = msgspec.to_builtins(plan.loaded)
    program = "headwater" if shutil.which("headwater") else sys.argv[0]
    here = f"--app {wired.app.id} --data {cli.settings.data}"
    cli.err.print(
        f"\n{loaded['calls']:,} calls of {loaded['users']:,} users in {loaded['companies']:,} "
        "companies are loaded, and their identifies were sent.\n"
        f"  warehouse  {show_settings(wired.warehouse.settings)['path']}\n"
        f"  webhook    http://127.0.0.1:{plan.receiver_port}/ shows what arrives\n"
        f"  ask        echo '{{}}' | {program} query users --spec - {here}\n"
        f"  preview    {program} extensions segment preview {here}\n"
        "Ctrl-C stops; the data stays.\n",
        highlight=False,
        soft_wrap=True,
    )
