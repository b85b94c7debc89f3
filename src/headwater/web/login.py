"""Log people in and out.

In: e-mail address and password by POST. Out: a session cookie and the page they wanted. A wrong
password and an unknown address look the same and take the same time; guessing gets slower.
"""

import asyncio
from math import ceil
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from headwater.web.auth import cookie_name, is_https, needs, session_of
from headwater.web.forms import check_form_token, issue_form_token
from headwater.web.pages import AnyRequest, page, safe_next, see_other
from headwater.web.services import Services
from headwater.web.throttle import MustWaitError, Throttle
from headwater.workspace import (
    Login,
    check_password,
    end_session,
    has_logins,
    start_session,
)

_FREE_TRIES_OF_ACCOUNT = 4
_FREE_TRIES_OF_ADDRESS = 20
_WRONG = "The e-mail address or the password is wrong."


class LoginForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the login page."""

    email: str = ""
    password: str = ""
    next: str = "/"
    form_token: str = ""


NextPath = Annotated[str, QueryParameter(name="next")]


class LoginController(Controller):
    """`/login` and `/logout`."""

    include_in_schema = False

    @get("/login")
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], next_path: NextPath = "/"
    ) -> Template | Redirect:
        """Show the form, or go on for those who are in already."""
        if await session_of(request) is not None:
            return see_other(safe_next(next_path))
        return await _form(request, services, next_path=next_path)

    @post("/login")
    async def log_in(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        throttle: NamedDependency[Throttle],
        data: URLEncodedBody[LoginForm],
    ) -> Template | Redirect:
        """Check the password; answer with a new session, or with the form again."""
        check_form_token(request, services, data.form_token)
        address = request.client.host if request.client else ""
        account = f"{address} {data.email.strip().lower()}"
        try:
            throttle.take({account: _FREE_TRIES_OF_ACCOUNT, address: _FREE_TRIES_OF_ADDRESS})
        except MustWaitError as err:
            answer = await _form(request, services, data, f"{err.message} {err.hint}", status=429)
            answer.headers["retry-after"] = str(ceil(err.wait_s))
            return answer
        login = await asyncio.to_thread(
            check_password, services.configdb, data.email, data.password
        )
        if login is None:
            return await _form(request, services, data, _WRONG, status=401)
        throttle.forget(account)
        return see_other(safe_next(data.next), [await open_session(request, services, login)])

    @post("/logout", guards=[needs("read")])
    async def log_out(self, request: AnyRequest, services: NamedDependency[Services]) -> Redirect:
        """End the session for good."""
        name = cookie_name(request)
        await services.configdb.run(end_session, services.vault, request.cookies.get(name, ""))
        return see_other("/login", [_cookie(request, "", max_age_s=0)])


async def open_session(request: AnyRequest, services: Services, login: Login) -> Cookie:
    """Start a session with a new token, whatever cookie was sent; return its cookie."""
    token, session = await services.configdb.run(
        start_session, services.vault, services.clock, login.id
    )
    life = session.expires_at - services.clock.now()
    return _cookie(request, token, max_age_s=int(life.total_seconds()))


def _cookie(request: AnyRequest, value: str, *, max_age_s: int) -> Cookie:
    return Cookie(
        cookie_name(request),
        value=value,
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=is_https(request),
        path="/",
    )


async def _form(
    request: AnyRequest,
    services: Services,
    data: LoginForm | None = None,
    error: str = "",
    *,
    status: int = 200,
    next_path: str = "/",
) -> Template:
    token, cookie = issue_form_token(request, services)
    return page(
        request,
        "login.html",
        status=status,
        cookies=[cookie],
        form_token=token,
        error=error,
        email=data.email if data else "",
        next_path=safe_next(data.next if data else next_path),
        anybody=await services.configdb.run(has_logins),
    )
