"""`headwater demo`: a whole Headwater with the traffic of an invented API.

In: a port, a size. Out: a running server with 90 days of history, everything connected, and live
traffic until Ctrl-C. A second start on the same directory loads nothing twice.
"""

import asyncio
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
from headwater.base.settings import load_settings
from headwater.base.telemetry import set_up_logging
from headwater.cli.common import Cli
from headwater.cli.demo_plan import Plan, connect_demo, read_plan, write_plan
from headwater.configdb import read_position
from headwater.demo import CollectorClient, Demo, LiveTraffic, WebhookReceiver, load_history
from headwater.eventlog import Stream
from headwater.warehouse import list_warehouses
from headwater.workspace import collector_key, get_app

_SEED = 2026
_POLL_S = 0.1
_SETTINGS: dict[str, dict[str, object]] = {
    "egress": {"allow": "127.0.0.0/8"},  # the webhook's receiver runs beside the server
    "extensions": {"sync_every_s": 60},
    "warehouse": {"sync_every_s": 30},
}


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory.  [default: ./headwater-demo]"
)
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--users", default=2000, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 290))
@click.option("--live/--no-live", default=True, help="Keep traffic flowing after the history.")
@click.option("--exit-when-loaded", is_flag=True, help="End when history is loaded and synced.")
@click.option("--json", "as_json", is_flag=True, help="The ready line is JSON in any case.")
def demo(
    data: Path | None,
    port: int,
    users: int,
    days: int,
    live: bool,
    exit_when_loaded: bool,
    as_json: bool,
) -> None:
    """Run Headwater with the traffic of an invented payments API.

    When the history is loaded, one JSON line on standard output says so.
    """
    del as_json  # accepted for symmetry: there is only the one form
    set_up_logging("warning")
    flags: dict[str, dict[str, object]] = {"server": {"port": port}, **_SETTINGS}
    settings = load_settings(data, flags, default_data="headwater-demo")
    settings.data.mkdir(parents=True, exist_ok=True)
    asyncio.run(_run(Cli(settings=settings, as_json=False), users, days, live, exit_when_loaded))


async def _run(cli: Cli, users: int, days: int, live: bool, exit_when_loaded: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    receiver = WebhookReceiver()
    try:
        async with running(cli.settings) as server, aiohttp.ClientSession() as session:
            plan = await _prepare(server, receiver, users, days)
            _greet(cli, server, plan)
            client = await _collector_client(server, session, plan)
            history = Demo(seed=_SEED, end=plan.end, users=plan.users, days=plan.days)
            await _until(stopping, _load(cli, server, client, history, plan))
            if stopping.is_set() or exit_when_loaded:
                return
            traffic = LiveTraffic(history, client, cli.clock)
            await _until(stopping, traffic.run() if live else _for_ever())
    finally:
        await receiver.close()


async def _until(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Wait for the work, or for the wish to stop, whichever comes first."""
    task, stop = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        stop.cancel()
        task.result()
        return
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _prepare(server: Running, receiver: WebhookReceiver, users: int, days: int) -> Plan:
    services = server.services
    data = services.settings.data
    plan = read_plan(data)
    await receiver.start(plan.receiver_port if plan else 0)
    if plan is None:
        plan = await services.configdb.run(connect_demo, services, receiver.port, users, days)
        write_plan(data, plan)
    receiver.expect(plan.webhook_secret)
    return plan


async def _collector_client(
    server: Running, session: aiohttp.ClientSession, plan: Plan
) -> CollectorClient:
    services = server.services
    key = await services.configdb.run(collector_key, services.vault, plan.app_id)
    return CollectorClient(session, server.url, key)


async def _load(
    cli: Cli, server: Running, client: CollectorClient, history: Demo, plan: Plan
) -> None:
    """Load what was not loaded before, wait until it can be asked for, sync, and say so."""
    if plan.loaded is None:
        with _progress(cli) as bar:
            task = bar.add_task("loading, newest days first", total=plan.days)

            def on_day(day: date, calls: int) -> None:
                bar.update(task, advance=1, description=f"{day}: {calls} calls")

            loaded = await load_history(history, client, on_day)
        plan = msgspec.structs.replace(plan, loaded=loaded)
        write_plan(cli.settings.data, plan)
    await _settle(server)
    run = await _sync(server, plan)
    _say_ready(cli, server, plan, run)


def _progress(cli: Cli) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=cli.err, transient=True)


async def _settle(server: Running) -> None:
    """Wait until everything that was sent can be asked for."""
    services = server.services
    goal = (await services.log.state(Stream.CALLS)).last_offset
    while True:
        position = await services.configdb.run(read_position, "ingest")
        if position is not None and position.next_offset > goal:
            return
        await asyncio.sleep(_POLL_S)


async def _sync(server: Running, plan: Plan) -> dict[str, Any]:
    """Send each user's activity on, as the schedule will from now on."""
    services = server.services
    app = await services.configdb.run(get_app, plan.app_id)
    run = await services.segment.sync(app)
    for warehouse in await services.configdb.run(list_warehouses, services.vault):
        await services.warehouses.sync(warehouse.id)
    return {"users_considered": run.users_considered, "delivered": run.delivered}


def _greet(cli: Cli, server: Running, plan: Plan) -> None:
    cli.err.print(
        f"\nHeadwater is running at [bold]{server.url}[/bold]\n"
        f"Log in as [bold]{plan.email}[/bold] with the password [bold]{plan.password}[/bold]\n",
        highlight=False,
    )


def _say_ready(cli: Cli, server: Running, plan: Plan, run: dict[str, Any]) -> None:
    loaded = msgspec.to_builtins(plan.loaded)
    line = {**server.ready_line(), "app_id": plan.app_id, **loaded, "sync": run}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
    data = cli.settings.data
    cli.err.print(
        f"\n{loaded['calls']:,} calls of {loaded['users']:,} users in {loaded['companies']} "
        f"companies are loaded; {run['delivered']:,} identifies were delivered.\n"
        f"  warehouse  {plan.warehouse_path}\n"
        f"  webhook    http://127.0.0.1:{plan.receiver_port}/ shows what arrives\n"
        f"  ask        echo '{{}}' | headwater query users --app {plan.app_id} --spec -"
        f" --data {data}\n"
        f"  preview    headwater extensions segment preview --app {plan.app_id} --data {data}\n"
        "Live traffic follows. Ctrl-C stops.\n",
        highlight=False,
        soft_wrap=True,
    )
