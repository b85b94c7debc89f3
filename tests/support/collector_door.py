"""Run the Collector API alone, under the real HTTP server, over a log in memory.

In: a folder and settings. Out: its address, a collector application id, and what reached the log.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import urllib3
import uvicorn

from headwater.base.clock import Clock, SystemClock
from headwater.base.settings import CollectorSettings, ConfigDbSettings
from headwater.base.vault import Vault
from headwater.collector import CollectorApp
from headwater.configdb import ConfigDb, migrate
from headwater.eventlog import GroupCommit, MemoryLog, Stream, split_records
from headwater.model import Action, ApiCall, ProfileUpdate, Record, Reject
from headwater.workspace import CollectorKeys, create_app

R = TypeVar("R", Action, ApiCall, ProfileUpdate, Reject)


@dataclass
class Door:
    """A running Collector API."""

    url: str
    key: str
    app_id: str
    vault: Vault
    log: MemoryLog
    db: ConfigDb
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """Send one request with the key; `headers` with underscores for dashes."""
        sent = {"x-moesif-application-id": self.key} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.http.request(method, self.url + path, body=body, headers=sent)

    def post(self, path: str, body: Any, **headers: str) -> int:
        """Post JSON; return the status."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.ask("POST", path, data, **headers).status

    def records(self) -> list[Record]:
        """Return all that reached the log, in order."""
        entries = self.log._streams[Stream.CALLS].entries.values()
        return [
            msgspec.json.decode(record, type=Record)
            for entry in entries
            for record in split_records(entry.data)
        ]

    def only(self, kind: type[R]) -> list[R]:
        """Return the records of one kind."""
        return [record for record in self.records() if isinstance(record, kind)]


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def open_door(
    folder: Path,
    *,
    settings: CollectorSettings | None = None,
    clock: Clock | None = None,
    max_log_bytes: int = 1_000_000_000,
) -> Iterator[Door]:
    """Serve the door on a free port, in a thread of its own, for the length of a block."""
    clock = clock or SystemClock()
    vault = Vault(b"k" * 32)
    db = ConfigDb.open(ConfigDbSettings(), folder)
    migrate(db)
    with db.transaction() as connection:
        app, key = create_app(connection, vault, clock, "parcels")
    log = MemoryLog(clock, max_bytes=max_log_bytes)
    collector = CollectorApp(
        GroupCommit(log, Stream.CALLS),
        CollectorKeys(db, vault, clock),
        vault,
        clock,
        settings or CollectorSettings(),
    )
    with _listening(collector) as url:
        door = Door(url, key, app.id, vault, log, db)
        yield door
        door.http.clear()
    db.close()


@contextmanager
def _listening(collector: CollectorApp) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(collector, lifespan="off", log_config=None, access_log=False)
    server = _Server(config)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="collector"
    )
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
