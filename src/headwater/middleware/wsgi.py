"""Capture the calls of a WSGI application: Flask, Django, Pyramid, Bottle.

In: environ and start_response. Out: the application's own answers, untouched, and a call in the
sender's queue once the server has closed the answer. Files that the server sends by itself
(`wsgi.file_wrapper`) stay with the server.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from headwater.middleware.event import Body, Call, read_headers
from headwater.middleware.hooks import ask, to_id
from headwater.middleware.options import DEFAULT_URL, Options, Response
from headwater.middleware.sender import Counts, Sender

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_log = logging.getLogger("headwater.middleware")
_NO_ANSWER = 500
_PATH_SIGNS = "/:@!$&'()*+,;=~"
_PLAIN_HEADERS = ("CONTENT_TYPE", "CONTENT_LENGTH")


class CaptureWSGI:
    """Wraps a WSGI application and reports its calls; see `Options` for what can be set."""

    def __init__(
        self, app: App, *, application_id: str, url: str = DEFAULT_URL, **options: Any
    ) -> None:
        self._app = app
        self.options = Options(application_id=application_id, url=url, **options)
        self._sender = Sender(self.options)

    @property
    def counts(self) -> Counts:
        """Return what became of the calls so far."""
        return self._sender.counts

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits and stop; the end of the process does it too."""
        self._sender.close(timeout_s)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        exchange = _Exchange(self, environ, start_response)
        try:
            answer = self._app(environ, exchange.start)
        except BaseException:
            exchange.finish()
            raise
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(file_wrapper, type) and isinstance(answer, file_wrapper):
            exchange.finish()
            return answer
        return _Answer(answer, exchange)

    def report(self, environ: Environ, call: Call) -> None:
        """Ask the hooks and queue the call."""
        options = self.options
        if options.has_hooks:
            response = Response(call.status, read_headers(call.response_headers))
            if ask(options.skip, environ, response):
                return
            call.user_id = to_id(ask(options.identify_user, environ, response))
            call.company_id = to_id(ask(options.identify_company, environ, response))
            call.metadata = ask(options.get_metadata, environ, response)
        self._sender.put(call)


class _Exchange:
    """One request and its response, as far as they have come."""

    def __init__(
        self, capture: CaptureWSGI, environ: Environ, start_response: StartResponse
    ) -> None:
        limit_bytes = capture.options.max_body_bytes if capture.options.capture_bodies else 0
        self._capture = capture
        self._environ = environ
        self._start_response = start_response
        self._began_s, self._began = time.time(), time.perf_counter()
        self._status = _NO_ANSWER
        self._headers: list[tuple[str, str]] = []
        self._request_body = Body(limit_bytes)
        self.response_body = Body(limit_bytes)
        self._is_finished = False
        if "wsgi.input" in environ:
            environ["wsgi.input"] = _Input(environ["wsgi.input"], self._request_body)

    def start(self, status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        write = self._start_response(status, headers, *rest)
        self._status, self._headers = _read_status(status), headers

        def noting_write(chunk: bytes) -> object:
            self.response_body.keep(chunk)
            return write(chunk)

        return noting_write

    def finish(self) -> None:
        """Report the call, once."""
        if self._is_finished:
            return
        self._is_finished = True
        try:
            self._capture.report(self._environ, self._to_call())
        except Exception:  # noqa: BLE001 - our trouble is never the application's
            _log.warning("A call could not be captured", exc_info=True)

    def _to_call(self) -> Call:
        environ = self._environ
        return Call(
            verb=environ["REQUEST_METHOD"],
            scheme=environ.get("wsgi.url_scheme", "http"),
            host=f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}",
            path=quote(
                environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
                safe=_PATH_SIGNS,
                encoding="latin-1",
            ),
            query=environ.get("QUERY_STRING", ""),
            ip_address=environ.get("REMOTE_ADDR", ""),
            began_s=self._began_s,
            ended_s=self._began_s + time.perf_counter() - self._began,
            status=self._status,
            request_headers=_request_headers(environ),
            response_headers=self._headers,
            request_body=self._request_body,
            response_body=self.response_body,
        )


class _Answer:
    """The application's answer, passed on chunk by chunk."""

    def __init__(self, chunks: Iterable[bytes], exchange: _Exchange) -> None:
        self._chunks = chunks
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        keep = self._exchange.response_body.keep
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


class _Input:
    """The request's body, noted while the application reads it."""

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
            self._body.keep(bytes(memoryview(buffer)[:count]))
            return count

        return noting_readinto

    def _noted(self, chunk: bytes) -> bytes:
        self._body.keep(chunk)
        return chunk


def _read_status(status: str) -> int:
    code = status[:3]
    return int(code) if code.isdigit() else _NO_ANSWER


def _request_headers(environ: Environ) -> list[tuple[str, str]]:
    sent = [
        (name[5:].replace("_", "-"), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    plain = [
        (name.replace("_", "-"), environ[name]) for name in _PLAIN_HEADERS if environ.get(name)
    ]
    return sent + plain
