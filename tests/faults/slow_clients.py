"""Open connections that waste a server's time: heads, bodies and answers that never end.

In: an address. Out: how many of them the server has cut, and how many bytes it let us send. One
thread drives hundreds of them.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_BUFFER_BYTES = 16_384
"""The system would take megabytes of answers on a client's behalf."""

Drip = Callable[[int], bytes]
"""What a connection sends at its n-th turn; nothing means that it only waits."""


@dataclass
class Loris:
    """One slow client."""

    drip: Drip
    sock: socket.socket
    turns: int = 0
    sent_bytes: int = 0
    answer: bytes = b""
    is_cut: bool = False


@dataclass
class Swarm:
    """Slow clients of one server, each taking a turn every `pause_s`."""

    url: str
    pause_s: float = 0.25
    reads: bool = True
    clients: list[Loris] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._drive, name="swarm", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        for client in self.clients:
            client.sock.close()

    def add(self, drip: Drip, count: int = 1) -> None:
        """Connect `count` clients that send what `drip` says."""
        to = urlsplit(self.url)
        for _ in range(count):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            sock.connect((to.hostname, to.port))
            sock.setblocking(False)
            self.clients.append(Loris(drip, sock))

    def wait_until_cut(self, within_s: float) -> None:
        """Return when the server has ended every connection."""
        end = time.monotonic() + within_s
        while left := [client for client in self.clients if not client.is_cut]:
            assert time.monotonic() < end, f"{len(left)} slow clients live after {within_s} s"
            time.sleep(0.05)

    def _drive(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            for client in [client for client in self.clients if not client.is_cut]:
                self._take_turn(client)
            self._stopping.wait(max(0.0, began + self.pause_s - time.monotonic()))

    def _take_turn(self, client: Loris) -> None:
        try:
            if data := client.drip(client.turns):
                client.sent_bytes += client.sock.send(data)
            client.turns += 1
        except BlockingIOError:
            pass  # the server reads no more for now
        except OSError:
            client.is_cut = True
        if self.reads:
            self._read(client)

    def _read(self, client: Loris) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client.sock, selectors.EVENT_READ)
            if not selector.select(0):
                return
        try:
            got = client.sock.recv(65_536)
        except OSError:
            got = b""
        client.answer += got
        client.is_cut = client.is_cut or not got


def nothing(_: int) -> bytes:
    """Connect, and say nothing."""
    return b""


def slow_head(turn: int) -> bytes:
    """One byte of an endless header after another."""
    head = b"GET /v1/config HTTP/1.1\r\nhost: a\r\nx-slow: "
    return head[turn : turn + 1] or b"z"


def empty_lines(_: int) -> bytes:
    """Line breaks before the request line, which servers have to pass over."""
    return b"\r\n"


def slow_body(key: str, path: str = "/v1/events") -> Drip:
    """A whole head, then one byte of the body after another."""
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\nx-moesif-application-id: {key}\r\n"
    whole = head.encode() + b"content-type: application/json\r\ncontent-length: 100000\r\n\r\n["
    return lambda turn: b" " if turn else whole


def refused_body(turn: int) -> bytes:
    """A body that was refused at its head, and goes on slowly all the same."""
    head = b"POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n"
    return b" " if turn else head


def flood_of_headers(turn: int) -> bytes:
    """Headers at full speed, without an end."""
    line = b"x-filler: " + b"z" * 1_000 + b"\r\n"
    return line * 60 if turn else b"GET /v1/config HTTP/1.1\r\nhost: a\r\n"


def answers_not_taken(turn: int) -> bytes:
    """Requests for something large, one after another, without taking any answer."""
    return b"" if turn else b"GET /api/openapi.json HTTP/1.1\r\nhost: a\r\n\r\n" * 100
