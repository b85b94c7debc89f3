"""A tool at the other end of a webhook, for the demo: checks signatures, counts, shows the newest.

In: deliveries of the webhook destination. Out: a page with the last identifies. Listens on
loopback; keeps nothing on disk.
"""

import html
from collections import deque
from typing import Any

import msgspec
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from headwater.base.errors import ConflictError

_SHOWN = 20
_MOST_BYTES = 4_000_000


class WebhookReceiver:
    """One small HTTP server."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self._verifier: Webhook | None = None
        self._newest: deque[dict[str, Any]] = deque(maxlen=_SHOWN)
        self.received = 0
        self.refused = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; raise `ConflictError` when the port is taken."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_get("/", self._show)
        app.router.add_post("/hook", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError as err:
            raise ConflictError(
                f"Port {port}, where this demo's webhook goes, is taken.",
                hint="Stop what uses it, or start a new demo in another directory with --data.",
            ) from err
        self.port = self._runner.addresses[0][1]

    def expect(self, secret: str) -> None:
        """Verify signatures with this secret from now on."""
        self._verifier = Webhook(secret)

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            if self._verifier is not None:
                self._verifier.verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.refused += 1
            return web.Response(status=401, text="the signature is wrong")
        got = msgspec.json.decode(body)
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
