"""Put the security headers on every answer of the web.

In: each answer on its way out. Out: the same with a strict Content-Security-Policy and its
relatives. Nothing inline is ever allowed: every script and style is a file of ours.
"""

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import BeforeMessageSendHookHandler, Message, Scope

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HTTPS_ONLY = {"strict-transport-security": "max-age=31536000"}


def security_headers(*, https: bool) -> BeforeMessageSendHookHandler:
    """Return the hook that adds what is not set yet; `https`: browsers reach us by https only."""
    wanted = {**_ALWAYS, **(_HTTPS_ONLY if https else {})}

    async def put_headers(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start" or scope["type"] != ScopeType.HTTP:
            return
        headers = MutableScopeHeaders.from_message(message)
        for name, value in wanted.items():
            headers.setdefault(name, value)

    return put_headers
