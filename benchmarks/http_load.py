"""Post bodies over loopback with as little work as can be: the load shares the machine it measures.

In: an address, a head, bodies, a number of connections, perhaps a rate. Out: how long each answer
took. Speaks just enough HTTP/1.1 for short answers on kept connections; any status but the wanted
one stops the run with the answer's text.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import cast
from urllib.parse import urlsplit

import uvloop

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
Pause = Callable[[], float]
"""Says how many seconds the next post has to wait."""


class Target:
    """Where posts go."""

    def __init__(self, url: str, headers: Mapping[str, str], *, wanted: int) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.host, self.port = parts.hostname, parts.port
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join([*lines, "Content-Length: "]).encode()
        self.wanted = f"HTTP/1.1 {wanted} ".encode()

    def request(self, body: bytes) -> bytes:
        """Return the bytes of one post."""
        return b"%b%d%b%b" % (self._head, len(body), _END_OF_HEAD, body)


class _Connection(asyncio.Protocol):
    def __init__(
        self, target: Target, bodies: Iterator[bytes], until_s: float, pause: Pause
    ) -> None:
        self._target = target
        self._bodies = bodies
        self._until_s = until_s
        self._pause = pause
        self._answer = b""
        self._sent_s = 0.0
        self.took_ms: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass
        self._go_on()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not _is_whole(self._answer):
            return
        self.took_ms.append((time.perf_counter() - self._sent_s) * 1000)
        if not self._answer.startswith(self._target.wanted):
            self._fail(self._answer.decode("utf-8", "replace"))
            return
        self._answer = b""
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"The server closed the connection: {exc}")

    def _go_on(self) -> None:
        wait_s = self._pause()
        if wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._send)
        else:
            self._send()

    def _send(self) -> None:
        body = next(self._bodies, None) if time.perf_counter() < self._until_s else None
        if body is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_s = time.perf_counter()
        self._transport.write(self._target.request(body))

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(AssertionError(why))


def _is_whole(answer: bytes) -> bool:
    """Tell whether an answer with a `Content-Length` has come to its end."""
    head, end, body = answer.partition(_END_OF_HEAD)
    length = _LENGTH.search(head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def no_pause() -> float:
    """Send at once."""
    return 0.0


def pace(per_s: float) -> Pause:
    """Return a function that says how long the next post has to wait for its turn."""
    count = 0
    began_s = time.perf_counter()

    def pause() -> float:
        nonlocal count
        count += 1
        return began_s + count / per_s - time.perf_counter()

    return pause


def post_all(
    target: Target, bodies: Iterator[bytes], seconds: float, connections: int, pause: Pause
) -> list[float]:
    """Post for some seconds, or until no body is left; return the milliseconds of each answer."""
    return uvloop.run(_post_all(target, bodies, seconds, connections, pause))


async def _post_all(
    target: Target, bodies: Iterator[bytes], seconds: float, connections: int, pause: Pause
) -> list[float]:
    loop = asyncio.get_running_loop()
    until_s = time.perf_counter() + seconds
    clients = [_Connection(target, bodies, until_s, pause) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, target.host, target.port)  # type: ignore[misc]  # the client is bound at once
    await asyncio.gather(*(client.done for client in clients))
    return [took_ms for client in clients for took_ms in client.took_ms]
