"""Render a page: the template with what every page needs to know.

In: the request, a template's name, its own facts. Out: the answer. A page knows who looks at it and
carries that session's CSRF token; nothing else of the session.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Redirect, Template

from headwater.web.auth import Actor

AnyRequest = Request[Any, Any, Any]


def wants_page(request: AnyRequest) -> bool:
    """Tell whether a page or one of its panels waits for HTML: never below `/api`."""
    asks = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    return asks and not request.url.path.startswith("/api/")


def page(
    request: AnyRequest,
    name: str,
    *,
    status: int = 200,
    cookies: Sequence[Cookie] = (),
    headers: Mapping[str, str] | None = None,
    **facts: object,
) -> Template:
    """Answer with a template; `actor` is None before login."""
    actor: Actor | None = request.scope.get("user")
    context = {"actor": actor, "path": request.url.path, "status": status, **facts}
    return Template(
        name, context=context, status_code=status, cookies=cookies, headers=dict(headers or {})
    )


def see_other(path: str, cookies: Sequence[Cookie] = ()) -> Redirect:
    """Send the browser on with GET, so that reloading repeats nothing."""
    return Redirect(path, status_code=303, cookies=cookies)


def safe_next(path: str) -> str:
    """Return `path` if it stays on this server, else the first page."""
    inside = path.startswith("/") and path[1:2] not in {"/", "\\"} and path.isprintable()
    return path if inside and "\\" not in path else "/"
