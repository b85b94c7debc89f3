"""Note a request's body while a WSGI application reads it.

In: the server's stream. Out: the same bytes to the application, and references to them for the
call. What the server's stream cannot do, this one cannot either.
"""

from collections.abc import Callable, Iterator
from typing import Any

from headwater.middleware.call import Body


class NotedInput:
    """Stands where `wsgi.input` stood."""

    __slots__ = ("_body", "_source")

    def __init__(self, source: Any, body: Body) -> None:
        self._source = source
        self._body = body

    def read(self, *size: int) -> bytes:
        return self._noted(self._source.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._noted(self._source.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._noted(line) for line in self._source.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._noted, self._source)

    def __getattr__(self, name: str) -> Any:
        # Only what the server's own stream has: frameworks look before they use `readinto`.
        found = getattr(self._source, name)
        return self._noting_readinto(found) if name == "readinto" else found

    def _noting_readinto(self, readinto: Callable[[Any], int | None]) -> Callable[[Any], int]:
        def noting_readinto(buffer: Any) -> int:
            count = readinto(buffer) or 0
            self._noted(bytes(memoryview(buffer)[:count]))
            return count

        return noting_readinto

    def _noted(self, chunk: bytes) -> bytes:
        if chunk:
            self._body.keep(chunk)
        return chunk
