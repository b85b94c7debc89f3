"""A tool at the other end of a webhook, for the demo: checks signatures, counts, shows the newest.

In: deliveries of the webhook destination. Out: a page with the last identifies. Listens on
loopback; keeps nothing on disk.
"""

import html
from collections import deque
from typing import Any, Self

import msgspec
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from headwater.base.errors import ConflictError

_LOOPBACK = "127.0.0.1"
_SHOWN = 20
_MOST_BYTES = 4_000_000


class WebhookReceiver:
    """One small HTTP server, open for a block."""

    def __init__(self, secret: str, port: int = 0) -> None:
        self.port = port
        """0 until it listens on a free one."""
        self.received = 0
        self.refused = 0
        self._verifier = Webhook(secret)
        self._newest: deque[dict[str, Any]] = deque(maxlen=_SHOWN)
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_get("/", self._show)
        app.router.add_post("/hook", self._receive)
        self._runner = web.AppRunner(app, access_log=None)

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, _LOOPBACK, self.port).start()
        except OSError as err:
            await self._runner.cleanup()
            raise ConflictError(
                f"The demo's webhook receiver cannot listen on {self.url}: {err.strerror}.",
                hint="Stop what listens there, or start another demo with --data.",
            ) from err
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            got = self._verifier.verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.refused += 1
            return web.Response(status=401, text="the signature is wrong")
        except ValueError:
            self.refused += 1
            return web.Response(status=400, text="the body is not JSON")
        for message in got if isinstance(got, list) else [got]:
            self.received += 1
            self._newest.appendleft(message)
        return web.Response(text="ok")

    async def _show(self, request: web.Request) -> web.Response:
        del request
        items = "".join(
            f"<pre>{html.escape(msgspec.json.format(msgspec.json.encode(m)).decode())}</pre>"
            for m in self._newest
        )
        page = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Webhook receiver</title>"
            f"<h1>{self.received} messages received, {self.refused} refused</h1>{items}</html>"
        )
        return web.Response(text=page, content_type="text/html")
