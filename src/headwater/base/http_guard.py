"""Cut HTTP connections that only hold our memory: slow heads, slow bodies, answers nobody takes.

In: the bytes of one connection, and limits. Out: what the HTTP server makes of them, or a cut.
Reads no request itself and never cuts a connection while the next step is ours.
"""

import asyncio
import resource
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from headwater.base.asgi import ARRIVED
from headwater.base.settings import Server
from headwater.base.telemetry import CONNECTIONS_CUT, get_logger

_TOO_LONG_HEAD = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
_CHECKS_PER_HEAD = 4
_FILES_PER_CONNECTION = 2
"""One for itself; the other half is the engines'."""
_logger = get_logger("http")


class HttpLimits(msgspec.Struct, frozen=True):
    """How long and how much one client may keep us waiting."""

    head_timeout_s: float
    body_timeout_s: float
    """For a body to arrive, and for a client to take some of its answer."""
    max_head_bytes: int
    max_connections: int


def read_limits(settings: Server) -> HttpLimits:
    """Return the limits of the settings; fewer connections where the system lets us open less."""
    most_files = _raise_open_files(settings.max_connections * _FILES_PER_CONNECTION)
    return HttpLimits(
        head_timeout_s=settings.head_timeout_s,
        body_timeout_s=settings.body_timeout_s,
        max_head_bytes=settings.max_head_bytes,
        max_connections=min(settings.max_connections, most_files // _FILES_PER_CONNECTION),
    )


def _raise_open_files(wanted: int) -> int:
    """Have the system let us open `wanted` files; return how many it does let us open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if reachable <= soft:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    except (OSError, ValueError) as err:
        _logger.warning("open_files_not_raised", limit=soft, error=str(err))
        return soft
    return reachable


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for whatever the client owes."""

    def __init__(self, *, limits: HttpLimits, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._limits = limits
        self._due_s: float | None = None
        """When the client must have sent or taken what it owes; None while the step is ours."""
        self._in_head = True
        self._head_bytes = 0
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        if len(self.connections) > self._limits.max_connections:
            self._cut("too_many")
            return
        self._due_s = self.loop.time() + self._limits.head_timeout_s
        self._check()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._due_s is None and not self._is_our_turn():
            self._due_s = self.loop.time() + self._limits.body_timeout_s
        had_begun = self._in_head
        super().data_received(data)
        if had_begun and self._in_head:
            self._grow_head(len(data))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if not self._is_our_turn():
            self._due_s = self.loop.time() + self._limits.head_timeout_s

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        waits_in_line = bool(self.pipeline)  # reading is paused until its turn
        self._due_s = None if waits_in_line else self.loop.time() + self._limits.body_timeout_s

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._due_s = None
        self.scope[ARRIVED] = True  # type: ignore[literal-required]  # a note of our own

    def pause_writing(self) -> None:
        super().pause_writing()
        self._due_s = self.loop.time() + self._limits.body_timeout_s

    def resume_writing(self) -> None:
        super().resume_writing()
        self._due_s = None

    def _grow_head(self, more_bytes: int) -> None:
        self._head_bytes += more_bytes
        if self._head_bytes > self._limits.max_head_bytes and not self.transport.is_closing():
            CONNECTIONS_CUT.labels("long_head").inc()
            self.transport.write(_TOO_LONG_HEAD)
            self.transport.close()

    def _is_our_turn(self) -> bool:
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _check(self) -> None:
        now_s = self.loop.time()
        if self._due_s is None and self.transport.is_closing():
            self._due_s = now_s + self._limits.body_timeout_s  # its last bytes are not taken yet
        if self._due_s is not None and now_s > self._due_s:
            self._cut("slow")
            return
        pause_s = self._limits.head_timeout_s / _CHECKS_PER_HEAD
        self._watch = self.loop.call_later(pause_s, self._check)

    def _cut(self, why: str) -> None:
        CONNECTIONS_CUT.labels(why).inc()
        self.transport.abort()
