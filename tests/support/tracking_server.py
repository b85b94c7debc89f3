"""The Tracking API under the real HTTP server, for real client libraries.

In: a folder, and faults to play. Out: an address, a write key, and the messages that were stored.
"""

import asyncio
import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from headwater.base.asgi import Receive, Scope, Send, answer_json
from headwater.base.settings import ConfigDbSettings
from headwater.configdb import ConfigDb, migrate
from headwater.model import Message
from headwater.sources import Source
from tests.support.tracking_door import Door


@dataclass
class Fault:
    """An answer instead of the right one; `stored` first lets the request do its work."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    stored: bool = False


class TrackingServer:
    """A running door with a source."""

    def __init__(self, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        self.door = door
        self.source: Source = door.add_source()
        self.faults: deque[Fault] = deque()
        self.requests: list[dict[str, str]] = []
        self.url = ""
        self._loop = loop

    def messages(self) -> list[Message]:
        """Return what was stored, in order."""
        return asyncio.run_coroutine_threadsafe(self.door.messages(), self._loop).result(10)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the door does, unless a fault is planned."""
        self.requests.append({n.decode(): v.decode() for n, v in scope["headers"]})
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            await self.door.app(scope, receive, send)
            return
        if fault.stored:
            await self.door.app(scope, receive, _discard)
        headers = [(n.encode(), v.encode()) for n, v in fault.headers.items()]
        await answer_json(send, fault.status, {"success": False}, headers)


async def _discard(_: Any) -> None:
    """Take an answer that never reaches the client."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def tracking_server(folder: Path) -> Iterator[TrackingServer]:
    """Serve on a free port, in a thread of its own, for the length of a block."""
    configdb = ConfigDb.open(ConfigDbSettings(), folder)
    migrate(configdb)
    ready = threading.Event()
    running: list[tuple[TrackingServer, Callable[[], None]]] = []

    async def live() -> None:
        door = Door(configdb)
        made = TrackingServer(door, asyncio.get_running_loop())
        listener = socket.create_server(("127.0.0.1", 0))
        made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            made.serve,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        server = _Server(config)
        running.append((made, lambda: setattr(server, "should_exit", True)))
        ready.set()
        await server.serve(sockets=[listener])
        await door.close()

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="tracking")
    thread.start()
    assert ready.wait(10), "the server did not start"
    made, stop = running[0]
    try:
        yield made
    finally:
        stop()
        thread.join()
        configdb.close()
