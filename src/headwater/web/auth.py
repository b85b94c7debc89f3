"""Let in who may: API tokens, the command line of this machine, and people with a session.

In: a request. Out: the `Actor` in `request.user`, or an error before the handler runs. A session
cookie alone changes nothing: it needs the CSRF token of that session and a request from our pages.
"""

import hmac
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from headwater.base.errors import NotAllowedError, NotAuthenticatedError
from headwater.web.services import Services
from headwater.workspace import SCOPES, Session, Token, find_session, find_token

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_BEARER = "Bearer "
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"
_ROLE_SCOPES = {"viewer": frozenset({"read"})}

Connection = ASGIConnection[Any, Any, Any, Any]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what for at most."""

    name: str
    scopes: frozenset[str]
    csrf_token: str = ""
    """Only people at a browser have one."""


def needs(scope: str) -> Guard:
    """Return a guard that lets in actors with `scope` ("read", "write" or "admin")."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        actor = await find_actor(connection)
        if actor is None:
            raise NotAuthenticatedError(
                "This needs a login or an API token.",
                hint="Send `Authorization: Bearer TOKEN`; `headwater tokens create` makes one.",
            )
        if scope not in actor.scopes:
            raise NotAllowedError(f"This needs the scope {scope!r}.", scope=scope)
        if actor.csrf_token and connection.scope.get("method") not in _SAFE_METHODS:
            await check_csrf(connection, actor.csrf_token)
        connection.scope["user"] = actor

    return guard


async def find_actor(connection: Connection) -> Actor | None:
    """Return who asks: by token when one is sent, else by the session cookie."""
    services: Services = connection.app.state.services
    sent = connection.headers.get("authorization", "")
    if sent.startswith(_BEARER):
        return await _find_by_token(services, sent.removeprefix(_BEARER).strip())
    session = await session_of(connection)
    if session is None:
        return None
    login = session.login
    scopes = _ROLE_SCOPES.get(login.role, frozenset(SCOPES))
    return Actor(name=login.email, scopes=scopes, csrf_token=session.csrf_token)


async def _find_by_token(services: Services, sent: str) -> Actor | None:
    if sent and hmac.compare_digest(sent.encode(), services.local_token.encode()):
        return Actor(name="command line", scopes=frozenset(SCOPES))
    token: Token | None = await services.configdb.run(find_token, services.vault, sent)
    return None if token is None else Actor(name=token.name, scopes=token.scopes)


async def session_of(connection: Connection) -> Session | None:
    """Return the live session of the cookie, or None."""
    services: Services = connection.app.state.services
    cookie = connection.cookies.get(cookie_name(connection), "")
    if not cookie:
        return None
    return await services.configdb.run(find_session, services.vault, services.clock, cookie)


async def check_csrf(connection: Connection, expected: str) -> None:
    """Refuse a change that did not come from one of our own pages."""
    check_same_origin(connection)
    sent = connection.headers.get(CSRF_HEADER, "") or await _form_field(connection)
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise NotAllowedError(
            "The page was too old, or the request did not come from it.",
            hint="Load the page again and repeat.",
        )


def check_same_origin(connection: Connection) -> None:
    """Refuse what a browser says comes from another site."""
    services: Services = connection.app.state.services
    ours = {
        connection.headers.get("host", ""),
        urlsplit(services.settings.server.public_url).netloc,
    }
    origin = connection.headers.get("origin", "")
    # "null" is what a sandboxed frame sends: it has no netloc, and is nobody's.
    foreign = bool(origin) and urlsplit(origin).netloc not in ours - {""}
    if foreign or connection.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise NotAllowedError("The request came from another site.")


async def _form_field(connection: Connection) -> str:
    if not isinstance(connection, Request):
        return ""
    if not connection.headers.get("content-type", "").startswith(_FORM):
        return ""
    return str((await connection.form()).get(CSRF_FIELD, ""))


def is_https(connection: Connection) -> bool:
    """Tell whether the browser reached us by https, perhaps through a proxy."""
    services: Services = connection.app.state.services
    return connection.url.scheme == "https" or services.settings.server.public_url.startswith(
        "https://"
    )


def cookie_name(connection: Connection) -> str:
    """Return the session cookie's name: bound to the host wherever browsers allow it."""
    return "__Host-headwater" if is_https(connection) else "headwater"
