"""Put the rooms together: the only place that knows all of them.

In: settings and roles. Out: a running server, and everything closed again in reverse order. Holds
no rules: it builds each object once, hands it to those who need it, and watches over the workers.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import uvicorn

from headwater import __version__
from headwater.base.asgi import App, Receive, Scope, Send, answer_error
from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.base.http_guard import GuardedHttp, HttpLimits, read_limits
from headwater.base.ids import new_secret
from headwater.base.lock import DirectoryLock
from headwater.base.networks import behind_proxies
from headwater.base.retry import backoff_s
from headwater.base.settings import Settings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.collector import CollectorApp, describe_collector, describe_otlp
from headwater.configdb import ConfigDb, lowest_next_offset, migrate, why_not_to_migrate
from headwater.eventlog import GroupCommit, LogKeeper, Progress, Stream, open_event_log
from headwater.eventstore import EventStore
from headwater.extensions import Extensions, Parts
from headwater.federation import FederationWorkers
from headwater.ingest import IngestWorker, open_knowledge
from headwater.privacy import Regulations
from headwater.profiles import Relinking
from headwater.sources import Forgotten
from headwater.tracking import TrackingApp, describe_tracking
from headwater.warehouse import READERS as READERS_OF_WAREHOUSES
from headwater.warehouse import Warehouses
from headwater.web import Services, create_web
from headwater.workspace import (
    CollectorKeys,
    create_setup_link,
    ensure_default_app,
    has_logins,
    profile_rules_of,
)

ROLES = (
    "collector",
    "tracking",
    "web",
    "ingest",
    "extensions",
    "federation",
    "warehouse",
    "privacy",
)
_DRAIN_S = 10
_logger = get_logger("app")


class Worker(Protocol):
    """A loop that runs until it is cancelled; safe to cancel or kill at any instant."""

    name: str

    async def run(self) -> None:
        """Work for ever."""
        ...


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    token: str
    setup_url: str
    services: Services

    def ready_line(self) -> dict[str, object]:
        """Return what `headwater serve` prints when everything is ready."""
        return {
            "ready": True,
            "url": self.url,
            "version": __version__,
            "data": str(self.services.settings.data),
        }


def parse_roles(text: str) -> frozenset[str]:
    """Read `--role`; empty means all."""
    wanted = frozenset(part.strip() for part in text.split(",") if part.strip())
    unknown = wanted - set(ROLES)
    if unknown:
        raise InvalidInputError(
            f"There is no role {', '.join(sorted(unknown))}.", hint=f"Roles are {', '.join(ROLES)}."
        )
    return wanted or frozenset(ROLES)


@asynccontextmanager
async def running(
    settings: Settings, *, roles: frozenset[str] = frozenset(ROLES), port: int | None = None
) -> AsyncIterator[Running]:
    """Open the engines, the doors and the workers; close them in reverse order, drained."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        lock = DirectoryLock(settings.data)
        stack.callback(lock.close)
        listener = _listen(settings.server.host, settings.server.port if port is None else port)
        stack.callback(listener.close)
        services = await _open_services(settings, _own_url(listener), stack)
        groups = {
            stream: GroupCommit(
                services.log, stream, wait_s=settings.collector.commit_wait_ms / 1000
            )
            for stream in Stream
        }
        await _start_workers(_workers(services, roles), stack)
        front = _front(services, groups, roles, stack)
        for group in groups.values():
            stack.push_async_callback(group.close)
        await _start_http(front, listener, read_limits(settings.server), stack)
        running_server = await _introduce(services, _own_url(listener))
        _write_card(running_server, stack)
        _logger.info("server_ready", url=running_server.url, roles=sorted(roles))
        yield running_server
        _logger.info("server_draining")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as err:
        listener.close()
        raise InvalidInputError(
            f"Cannot listen on {host}:{port}: {err.strerror}.", hint="Choose another with --port."
        ) from err
    listener.setblocking(False)
    return listener


def _own_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - not a bind
    return f"http://{reachable}:{port}"


async def _open_services(settings: Settings, own_url: str, stack: AsyncExitStack) -> Services:
    clock = SystemClock()
    vault = Vault.open(settings.data / "master.key")
    configdb = ConfigDb.open(settings.configdb, settings.data)
    stack.callback(configdb.close)
    await asyncio.to_thread(migrate, configdb)
    await configdb.run(ensure_default_app, vault, clock)
    log = await open_event_log(settings.eventlog, settings.data)
    stack.push_async_callback(log.close)
    stop = await configdb.run(why_not_to_migrate)
    store = await asyncio.to_thread(EventStore.open, settings.eventstore, settings.data, stop=stop)
    stack.callback(store.close)
    warehouses = Warehouses(configdb, log, vault, clock, settings.warehouse, settings.data)
    egress = _open_egress(settings, own_url, stack)
    rules_of = partial(configdb.run, profile_rules_of)
    knowledge = await asyncio.to_thread(open_knowledge, store, clock, settings, rules_of)
    stack.callback(knowledge.countries.close)
    profiles = knowledge.profiles
    return Services(
        settings=settings,
        clock=clock,
        vault=vault,
        configdb=configdb,
        log=log,
        forgotten=Forgotten(configdb, vault, clock),
        store=store,
        profiles=profiles,
        knowledge=knowledge,
        egress=egress,
        extensions=Extensions(
            Parts(
                profiles, configdb, log, vault, egress, clock, settings.extensions, lambda: own_url
            )
        ),
        federation=FederationWorkers(configdb, log, vault, egress, clock, settings.federation),
        warehouses=warehouses,
        regulations=Regulations(configdb, vault, egress, clock, warehouses, settings),
        local_token=new_secret("local"),
    )


def _open_egress(settings: Settings, own_url: str, stack: AsyncExitStack) -> Egress:
    egress = Egress(settings.egress.allow)
    egress.allow_own(own_url)
    stack.push_async_callback(egress.close)
    return egress


def _workers(services: Services, roles: frozenset[str]) -> list[Worker]:
    s = services
    by_role: dict[str, Callable[[], Worker]] = {
        "ingest": lambda: IngestWorker(
            s.log, s.store, s.configdb, s.knowledge, s.clock, s.settings.ingest
        ),
        "extensions": lambda: s.extensions,
        "federation": lambda: s.federation,
        "warehouse": lambda: s.warehouses,
        "privacy": lambda: s.regulations,
    }
    chosen = [make() for role, make in by_role.items() if role in roles]
    if "ingest" in roles:
        chosen.append(
            Relinking(s.store, s.configdb, s.knowledge.identity, s.clock, s.settings.identity)
        )
    return [*chosen, _keeper(s)]


def _keeper(services: Services) -> LogKeeper:
    async def read_progress(stream: Stream) -> Progress | None:
        ask = services.configdb.run
        slowest = await ask(lowest_next_offset, stream)
        strict = await ask(lowest_next_offset, stream, READERS_OF_WAREHOUSES)
        if stream is Stream.CALLS:  # they always get their reader, if not yet
            return None if slowest is None or strict is None else Progress(slowest, strict)
        # Without warehouse and destinations nobody will read messages: age alone decides.
        end = (await services.log.state(stream)).last_offset + 1
        return Progress(end if slowest is None else slowest, end if strict is None else strict)

    return LogKeeper(services.log, read_progress, services.clock, services.settings.eventlog)


def _front(
    services: Services,
    groups: dict[Stream, GroupCommit],
    roles: frozenset[str],
    stack: AsyncExitStack,
) -> App:
    """Return the one HTTP application: the two raw doors first, the web behind them."""
    s = services
    collector = CollectorApp(
        groups[Stream.CALLS],
        CollectorKeys(s.configdb, s.vault, s.clock),
        s.vault,
        s.clock,
        s.settings.collector,
    )
    tracking = TrackingApp(
        groups[Stream.MESSAGES],
        s.log,
        s.configdb,
        s.vault,
        s.clock,
        s.settings.tracking,
        s.settings.server.public_url,
    )
    stack.push_async_callback(tracking.close)
    web = create_web(s, [describe_collector(), describe_otlp(), describe_tracking()])

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if "collector" in roles and collector.handles(path):
            await collector(scope, receive, send)
        elif "tracking" in roles and tracking.handles(path):
            await tracking(scope, receive, send)
        elif "web" in roles:
            await web(scope, receive, send)  # type: ignore[arg-type]  # Litestar narrows ASGI's types
        else:
            await answer_error(send, NotFoundError("This process does not serve that path."))

    return behind_proxies(front, s.settings.server.trusted_proxies)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours drain the workers too."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _start_http(
    front: App, listener: socket.socket, limits: HttpLimits, stack: AsyncExitStack
) -> None:
    config = uvicorn.Config(
        front,
        http=partial(GuardedHttp, limits=limits),  # type: ignore[arg-type]  # whatever makes one
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def stop() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(stop)
    while not server.started:
        if serving.done():
            await serving
        await asyncio.sleep(0.005)


async def _start_workers(workers: list[Worker], stack: AsyncExitStack) -> None:
    tasks = [asyncio.create_task(_watch(worker), name=worker.name) for worker in workers]

    async def stop() -> None:
        # Again after a while: a cancellation that meets a time-out in the same moment can be lost.
        pending = set(tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=_DRAIN_S)

    stack.push_async_callback(stop)


async def _watch(worker: Worker) -> None:
    """Run a worker for ever: an error that it did not expect is logged, and it starts again."""
    failures = 0
    while True:
        try:
            await worker.run()
        except Exception:
            failures += 1
            wait_s = backoff_s(failures, cap_s=30.0)
            _logger.exception("worker_failed", worker=worker.name, again_in_s=round(wait_s, 1))
            await asyncio.sleep(wait_s)


async def _introduce(services: Services, url: str) -> Running:
    def setup_token() -> str:
        with services.configdb.transaction() as connection:
            if has_logins(connection):
                return ""
            return create_setup_link(connection, services.vault, services.clock)

    token = await asyncio.to_thread(setup_token)
    public = services.settings.server.public_url or url
    setup_url = f"{public}/setup?token={token}" if token else ""
    return Running(url=url, token=services.local_token, setup_url=setup_url, services=services)


def _write_card(server: Running, stack: AsyncExitStack) -> None:
    """Tell commands of the same user where the server is; only they can read it."""
    folder = server.services.settings.data / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    card = folder / "serve.json"
    card.unlink(missing_ok=True)
    card.touch(mode=0o600)
    card.write_bytes(msgspec.json.encode({"url": server.url, "token": server.token}))
    stack.callback(Path.unlink, card, missing_ok=True)
