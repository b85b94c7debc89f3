"""Capture the calls of a WSGI application: Flask, Django, Pyramid, Bottle.

In: environ and start_response. Out: the application's own answers, untouched, and a call in the
sender's queue once the server has closed the answer. Files that the server sends by itself
(`wsgi.file_wrapper`) stay with the server.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from time import perf_counter
from typing import Any

from headwater.middleware.call import NO_ANSWER, Body, Call
from headwater.middleware.capture import Capture
from headwater.middleware.wsgi_input import note_input

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_PLAIN_HEADERS = (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length"))
_NO_LENGTHS = {None, "", "0"}


class CaptureWSGI(Capture):
    """Wraps a WSGI application and reports its calls; see `Options` for what can be set."""

    _app: App

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, **options)
        if any(map(inspect.iscoroutinefunction, self._options.hooks)):
            raise ValueError("hooks of a WSGI application must be plain functions")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            call = _begin(environ, self._body_bytes)
        except Exception as error:  # noqa: BLE001 - our trouble is never the application's
            self._trouble.call_failed(error)
            return self._app(environ, start_response)
        exchange = _Exchange(call, start_response, lambda: self._report(environ, call))
        try:
            answer = self._app(environ, exchange.start)
        except BaseException:
            exchange.finish()
            raise
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(file_wrapper, type) and isinstance(answer, file_wrapper):
            exchange.finish()
            return answer
        return (_SizedAnswer if isinstance(answer, list | tuple) else _Answer)(answer, exchange)

    def _report(self, environ: Environ, call: Call) -> None:
        try:
            if self._hooks is None or self._hooks.ask(environ, call):
                self._put(call)
        except Exception as error:  # noqa: BLE001 - our trouble is never the application's
            self._trouble.call_failed(error)


class _Exchange:
    """One request and its response, as far as they have come."""

    __slots__ = ("_is_finished", "_report", "_start_response", "call")

    def __init__(
        self, call: Call, start_response: StartResponse, report: Callable[[], None]
    ) -> None:
        self.call = call
        self._start_response = start_response
        self._report = report
        self._is_finished = False

    def start(self, status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        write = self._start_response(status, headers, *rest)
        self.call.status, self.call.response_headers = _read_status(status), headers

        def noting_write(chunk: bytes) -> object:
            self.call.response_body.keep(chunk)
            return write(chunk)

        return noting_write

    def finish(self) -> None:
        """Report the call, once."""
        if not self._is_finished:
            self._is_finished = True
            self.call.ended = perf_counter()
            self._report()


class _Answer:
    """The application's answer, passed on chunk by chunk."""

    __slots__ = ("_chunks", "_exchange")

    def __init__(self, chunks: Iterable[bytes], exchange: _Exchange) -> None:
        self._chunks = chunks
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        keep = self._exchange.call.response_body.keep
        for chunk in self._chunks:
            keep(chunk)
            yield chunk

    def close(self) -> None:
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            self._exchange.finish()


class _SizedAnswer(_Answer):
    """The same for a list: a server may learn the length of a body from one that has one chunk."""

    __slots__ = ()
    _chunks: list[bytes]

    def __len__(self) -> int:
        return len(self._chunks)


def _begin(environ: Environ, body_bytes: int) -> Call:
    """Return the call, and have its body noted if there is one."""
    call = Call(
        environ["REQUEST_METHOD"],
        environ.get("wsgi.url_scheme", "http"),
        environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        environ.get("REMOTE_ADDR", ""),
        (environ.get("SERVER_NAME"), environ.get("SERVER_PORT")),
        _request_headers(environ),
        perf_counter(),
        Body(body_bytes),
        Body(body_bytes),
    )
    has_body = environ.get("CONTENT_LENGTH") not in _NO_LENGTHS
    if has_body or "HTTP_TRANSFER_ENCODING" in environ:
        environ["wsgi.input"] = note_input(environ["wsgi.input"], call.request_body)
    return call


def _request_headers(environ: Environ) -> list[tuple[str, str]]:
    names, read = _find_headers(tuple(environ))
    headers = list(zip(names, read(environ), strict=False))
    for key, name in _PLAIN_HEADERS:
        if value := environ.get(key):
            headers.append((name, value))
    return headers


@lru_cache(128)
def _find_headers(keys: tuple[str, ...]) -> tuple[list[str], Callable[[Environ], Iterable[str]]]:
    """Return the headers' names, and what reads their values; clients send the same ones often."""
    found = [key for key in keys if key.startswith("HTTP_")]
    names = [key.removeprefix("HTTP_").replace("_", "-").lower() for key in found]
    return names, itemgetter(*found, keys[0], keys[0])  # of fewer than two it makes no tuple


def _read_status(status: str) -> int:
    code = str(status)[:3]
    return int(code) if code.isdigit() else NO_ANSWER
