"""Note a request's body while a WSGI application reads it.

In: the server's stream. Out: the same bytes to the application, and references to them for the
call. What the server's stream cannot do, this one cannot either.
"""

from collections.abc import Iterator
from typing import Any

from headwater.middleware.call import Body


def note_input(source: Any, body: Body) -> "NotedInput":
    """Return what stands where `wsgi.input` stood. Frameworks look before they use `readinto`."""
    return (NotedRawInput if hasattr(source, "readinto") else NotedInput)(source, body)


class NotedInput:
    """A stream as the least of servers gives it."""

    __slots__ = ("_body", "_source")

    def __init__(self, source: Any, body: Body) -> None:
        self._source = source
        self._body = body

    def read(self, *size: int) -> bytes:
        chunk: bytes = self._source.read(*size)
        self._body.keep(chunk)
        return chunk

    def readline(self, *size: int) -> bytes:
        line: bytes = self._source.readline(*size)
        self._body.keep(line)
        return line

    def readlines(self, *hint: int) -> list[bytes]:
        lines: list[bytes] = self._source.readlines(*hint)
        for line in lines:
            self._body.keep(line)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        for line in self._source:
            self._body.keep(line)
            yield line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class NotedRawInput(NotedInput):
    """A stream that can fill a buffer of the application's."""

    __slots__ = ()

    def readinto(self, buffer: Any) -> int | None:
        count: int | None = self._source.readinto(buffer)
        if count:
            self._body.keep(memoryview(buffer)[:count])
        return count
