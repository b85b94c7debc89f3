"""Hold what is known of one call until the background thread writes it down.

In: references that the request path keeps. Out: the same, and about how much memory they hold.
Nothing is read, decoded or copied here: this is the part that an application can feel.
"""

import time
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

Headers = Sequence[tuple[bytes, bytes]] | Sequence[tuple[str, str]]
NO_ANSWER = 500
"""What a server answers when an application raised before it answered."""
_OVERHEAD_BYTES = 4_000
"""A call with its headers, roughly."""


class Body(Struct, gc=False):
    """What passed of a body, up to a limit; beyond it only the size is known."""

    limit_bytes: int
    """0: bodies are not wanted at all."""
    size_bytes: int = 0
    data: bytes | bytearray = b""
    """A body of one chunk is that chunk; only those of more are copied together."""

    def keep(self, chunk: Any) -> None:
        """Take note of one chunk; what is no bytes at all is the server's to refuse."""
        if type(chunk) is not bytes:
            if not isinstance(chunk, bytes | bytearray | memoryview):
                return
            chunk = bytes(chunk)  # it may change before it is written down
        self.size_bytes += len(chunk)
        if self.size_bytes > self.limit_bytes:
            self.data = b""
        elif not self.data:
            self.data = chunk
        elif type(self.data) is bytearray:
            self.data += chunk
        else:
            self.data = bytearray(self.data) + chunk

    @property
    def is_cut(self) -> bool:
        """Tell whether there was more than is kept."""
        return self.size_bytes > self.limit_bytes


class Call(Struct, gc=False):
    """Everything known of one call, not looked at yet.

    Neither this nor `Body` counts for the garbage collector: kept for a while, they would have it
    look through the application's memory again and again.
    """

    verb: str
    scheme: str
    path: bytes | str
    """Bytes: escaped, as it came. Text: not escaped, one character a byte, as WSGI has it."""
    query: bytes | str
    client_ip: str
    server: Sequence[Any] | None
    """Host and port; used when no `Host` header came."""
    request_headers: Headers
    began: float
    """By `perf_counter`, which never jumps; see `wall_clock_s`."""
    request_body: Body
    response_body: Body
    ended: float = 0.0
    """When the last chunk was handed on: what runs in the background after it is no answer."""
    status: int = NO_ANSWER
    response_headers: Headers = ()
    user_id: str | None = None
    company_id: str | None = None
    session_token: str | None = None
    metadata: dict[str, Any] | None = None

    def size_bytes(self) -> int:
        """Return about how much memory the call holds."""
        return _OVERHEAD_BYTES + len(self.request_body.data) + len(self.response_body.data)


def wall_clock_s() -> float:
    """Return what to add to a `perf_counter` for the time of day."""
    return time.time() - time.perf_counter()
