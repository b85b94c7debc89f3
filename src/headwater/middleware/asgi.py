"""Capture the calls of an ASGI application: FastAPI, Starlette, Litestar, Django, Quart.

In: scope, receive, send. Out: the application's own answers, untouched, and a call in the sender's
queue. On the way only clocks are read and references kept.
"""

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from headwater.middleware.event import Body, Call, Headers, read_headers
from headwater.middleware.hooks import ask, to_id, warn_of
from headwater.middleware.options import DEFAULT_URL, Hook, Options, Response
from headwater.middleware.sender import Counts, Sender

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("headwater.middleware")
_NO_HEADERS: Headers = ()
_NO_ANSWER = 500
"""What a server answers when an application raised before it answered."""


class CaptureASGI:
    """Wraps an ASGI application and reports its calls; see `Options` for what can be set."""

    def __init__(
        self, app: App, *, application_id: str, url: str = DEFAULT_URL, **options: Any
    ) -> None:
        self._app = app
        self._options = Options(application_id=application_id, url=url, **options)
        self._has_hooks = self._options.has_hooks
        self._sender = Sender(self._options)
        self._body_bytes = self._options.max_body_bytes if self._options.capture_bodies else 0

    @property
    def counts(self) -> Counts:
        """Return what became of the calls so far."""
        return self._sender.counts

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits and stop; the end of the process does it too."""
        self._sender.close(timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._capture(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, self._closing(send))
        else:
            await self._app(scope, receive, send)

    def _closing(self, send: Send) -> Send:
        async def closing_send(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                # A server may end by a signal after this, and then nothing runs at exit.
                self.close()
            await send(message)

        return closing_send

    async def _capture(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s, began = time.time(), time.perf_counter()
        request_body, response_body = Body(self._body_bytes), Body(self._body_bytes)
        status, headers = _NO_ANSWER, _NO_HEADERS

        async def noting_receive() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                request_body.keep(message.get("body", b""))
            return message

        async def noting_send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message.get("headers", ())
            elif message["type"] == "http.response.body":
                response_body.keep(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, noting_receive, noting_send)
        finally:
            try:
                call = _to_call(scope, began_s, time.perf_counter() - began, status, headers)
                call.request_body, call.response_body = request_body, response_body
                if not self._has_hooks or await self._ask_hooks(scope, call):
                    self._sender.put(call)
            except Exception:  # noqa: BLE001 - our trouble is never the application's
                _log.warning("A call could not be captured", exc_info=True)

    async def _ask_hooks(self, scope: Scope, call: Call) -> bool:
        """Let the application say whose call it was; return whether to report it."""
        response = Response(call.status, read_headers(call.response_headers))
        options = self._options
        if options.skip and await _ask(options.skip, scope, response):
            return False
        call.user_id = to_id(await _ask(options.identify_user, scope, response))
        call.company_id = to_id(await _ask(options.identify_company, scope, response))
        call.metadata = await _ask(options.get_metadata, scope, response)
        return True


def _to_call(
    scope: Scope, began_s: float, duration_s: float, status: int, headers: Headers
) -> Call:
    client, server = scope.get("client"), scope.get("server")
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    return Call(
        verb=scope["method"],
        scheme=scope.get("scheme", "http"),
        host=f"{server[0]}:{server[1]}" if server else "localhost",
        path=path.decode("latin-1"),
        query=scope.get("query_string", b"").decode("latin-1"),
        ip_address=client[0] if client else "",
        began_s=began_s,
        ended_s=began_s + duration_s,
        status=status,
        request_headers=scope["headers"],
        response_headers=headers,
    )


async def _ask(hook: Hook | None, scope: Scope, response: Response) -> Any:
    answer = ask(hook, scope, response)
    if not inspect.isawaitable(answer):
        return answer
    try:
        return await answer
    except Exception:  # noqa: BLE001 - a hook of the application may raise anything
        warn_of(hook)
        return None
