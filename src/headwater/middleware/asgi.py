"""Capture the calls of an ASGI application: FastAPI, Starlette, Litestar, Django, Quart.

In: scope, receive, send. Out: the application's own answers, untouched, and a call in the sender's
queue. On the way only clocks are read and references kept.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from headwater.middleware.call import NO_ANSWER, Body, Call
from headwater.middleware.capture import Capture
from headwater.middleware.hooks import Hooks

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class CaptureASGI(Capture):
    """Wraps an ASGI application and reports its calls; see `Options` for what can be set."""

    _app: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._begin(scope) if scope["type"] == "http" else None
        if call is None:
            await self._pass_on(scope, receive, send)
            return

        # Closures, because objects with methods would cost each request half as much again.
        async def noting_receive() -> Message:
            message = await receive()
            if chunk := message.get("body"):
                call.request_body.keep(chunk)
            return message

        def noting_send(message: Message) -> Awaitable[None]:
            kind = message.get("type")
            if kind == "http.response.body":
                if chunk := message.get("body"):
                    call.response_body.keep(chunk)
                call.ended = perf_counter()
            elif kind == "http.response.start":
                call.status, headers = message.get("status", NO_ANSWER), message.get("headers")
                if type(headers) is list or type(headers) is tuple:
                    # Anything else may be readable once only, and that once is the server's.
                    call.response_headers = headers
            return send(message)

        try:
            await self._app(scope, noting_receive, noting_send)
        finally:
            call.ended = call.ended or perf_counter()
            if self._hooks is None:
                self._put(call)
            else:
                await self._ask_and_put(self._hooks, scope, call)

    def _begin(self, scope: Scope) -> Call | None:
        try:
            client = scope.get("client")
            return Call(
                scope["method"],
                scope.get("scheme", "http"),
                scope.get("raw_path") or scope["path"].encode().decode("latin-1"),
                scope.get("query_string", b""),
                client[0] if client else "",
                scope.get("server"),
                scope["headers"],
                perf_counter(),
                Body(self._body_bytes),
                Body(self._body_bytes),
            )
        except Exception as error:  # noqa: BLE001 - our trouble is never the application's
            self._trouble.call_failed(error)
            return None

    async def _ask_and_put(self, hooks: Hooks, scope: Scope, call: Call) -> None:
        if sys.exc_info()[0] is GeneratorExit:
            return  # the application was thrown away, and nothing may be awaited any more
        try:
            if await hooks.ask_async(scope, call):
                self._put(call)
        except Exception as error:  # noqa: BLE001 - our trouble is never the application's
            self._trouble.call_failed(error)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing_send(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                # A server may end by a signal after this, and then nothing runs at exit.
                self.close()
            await send(message)

        is_lifespan = scope["type"] == "lifespan"
        await self._app(scope, receive, closing_send if is_lifespan else send)
