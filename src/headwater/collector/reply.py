"""Answer clients of the Collector API, always with the headers that they read.

In: what to say. Out: one HTTP answer with both tags and open to browsers of any site. Decides
nothing.
"""

from headwater.base.asgi import Header, Send, answer, answer_error
from headwater.base.errors import HeadwaterError
from headwater.collector.accept import Accepted
from headwater.collector.config import NOBODYS

_CORS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Moesif-Config-ETag, X-Moesif-Rules-Tag, Retry-After"),
)
_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"content-type, content-encoding, x-moesif-application-id, x-moesif-sdk",
    ),
    (b"access-control-max-age", b"86400"),
)


class Reply:
    """The answer to one request."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.published = NOBODYS
        """Changed to the app's own as soon as the caller is known."""

    async def kept(self, accepted: Accepted) -> None:  # noqa: ARG002 - OTLP says what was refused
        """Say that all is durable; these clients read no body."""
        await answer(self._send, 201, headers=self._head())

    async def json(self, document: bytes) -> None:
        await answer(self._send, 200, document, self._head())

    async def preflight(self) -> None:
        await answer(self._send, 204, headers=[*self._head(), *_PREFLIGHT])

    async def error(self, error: HeadwaterError) -> None:
        """Send the error in the house form; a wrong method also says which are right."""
        await answer_error(self._send, error, self._error_head(error))

    def _head(self) -> list[Header]:
        return [*self.published.tags, *_CORS]

    def _error_head(self, error: HeadwaterError) -> list[Header]:
        allow = error.facts.get("allow")
        return [*self._head(), (b"allow", str(allow).encode())] if allow else self._head()
