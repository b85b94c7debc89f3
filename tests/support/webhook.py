"""A receiver of webhooks that answers by script: well, badly, late or never.

In: requests. Out: what was received, and the answers that a test planned, in order; 200 after.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float
    method: str = "POST"

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Answer:
    """One planned answer; `kind`: plain, hang, reset or endless."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    kind: str = "plain"


HANG = Answer(kind="hang")
RESET = Answer(kind="reset")
ENDLESS = Answer(kind="endless")


class Receiver:
    """What the server got, and what it will say."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.planned: deque[Answer] = deque()
        self.always: Answer | None = None
        self.judge: Callable[[Received], int] | None = None
        """Decides about the status when nothing is planned."""
        self.delay_s: Callable[[], float] | None = None
        """How late an answer comes; None: at once."""
        self.url = ""
        self._arrived = asyncio.Condition()

    def plan(self, *answers: Answer | int) -> None:
        self.planned.extend(Answer(status=a) if isinstance(a, int) else a for a in answers)

    async def wait_for(self, count: int, timeout_s: float = 10.0) -> list[Received]:
        """Return once `count` requests arrived."""
        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        now_s = asyncio.get_running_loop().time()
        got = Received(request.path_qs, headers, body, now_s, request.method)
        self.received.append(got)
        async with self._arrived:
            self._arrived.notify_all()
        answer = self._answer(got)
        if self.delay_s is not None:
            await asyncio.sleep(self.delay_s())
        return await _give(request, answer)

    def _answer(self, got: Received) -> Answer:
        if self.planned:
            return self.planned.popleft()
        if self.judge is not None:
            return Answer(self.judge(got))
        return self.always or Answer()


async def _give(request: web.Request, answer: Answer) -> web.StreamResponse:
    if answer.kind == "hang":
        await asyncio.sleep(3600)
    if answer.kind == "reset" and request.transport is not None:
        request.transport.abort()
    if answer.kind == "endless":
        return await _pour(request)
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


async def _pour(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while request.transport is not None and not request.transport.is_closing():
        await response.write(b"x" * 16_384)
    return response


@asynccontextmanager
async def run_receiver(port: int = 0) -> AsyncIterator[Receiver]:
    """Serve on the loopback; `url` of the receiver says where."""
    receiver = Receiver()
    app = web.Application(client_max_size=64_000_000)
    app.router.add_route("*", "/{tail:.*}", receiver.handle)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{bound}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve from a thread of its own, for tests that are not coroutines."""
    ready = threading.Event()
    running: list[tuple[Receiver, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        finished = asyncio.Event()
        async with run_receiver() as receiver:
            running.append((receiver, asyncio.get_running_loop(), finished))
            ready.set()
            await finished.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="receiver")
    thread.start()
    ready.wait(10)
    receiver, loop, finished = running[0]
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(finished.set)
        thread.join()
