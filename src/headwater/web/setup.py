"""Make the first login from the one-time link that the server prints.

In: `/setup?token=…`. Out: a login and its session. The token leaves the address bar at once: it
moves into a short-lived cookie before any page is shown, and one use burns it.
"""

import msgspec
import sqlalchemy as sa
from litestar import Controller, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.web.auth import is_https
from headwater.web.forms import check_form_token, issue_form_token
from headwater.web.login import open_session
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services
from headwater.workspace import Login, check_setup_link, create_login, use_setup_link

COOKIE = "headwater_setup"
_COOKIE_LIFE_S = 3600
_PATH = "/setup"


class SetupForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the set-up page."""

    email: str = ""
    password: str = ""
    form_token: str = ""


class SetupController(Controller):
    """`/setup`."""

    path = _PATH
    include_in_schema = False

    @get()
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], token: FromQuery[str] = ""
    ) -> Template | Redirect:
        """Take the token out of the address, then show the form."""
        if token:
            return see_other(_PATH, [_cookie(request, token, _COOKIE_LIFE_S)])
        sent = request.cookies.get(COOKIE, "")
        if not await services.configdb.run(check_setup_link, services.vault, services.clock, sent):
            raise _used_up()
        return _form(request, services)

    @post()
    async def create(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        data: URLEncodedBody[SetupForm],
    ) -> Template | Redirect:
        """Use the link up and log the new owner in."""
        check_form_token(request, services, data.form_token)
        token = request.cookies.get(COOKIE, "")
        try:
            login = await services.configdb.run(_create_owner, services, token, data)
        except (ConflictError, InvalidInputError) as err:
            return _form(request, services, data.email, f"{err.message} {err.hint}", status=400)
        session = await open_session(request, services, login)
        return see_other("/", [session, _cookie(request, "", 0)])


def _create_owner(
    connection: sa.Connection, services: Services, token: str, data: SetupForm
) -> Login:
    # One transaction: a refused password leaves the link usable.
    if not use_setup_link(connection, services.vault, services.clock, token):
        raise _used_up()
    return create_login(connection, services.clock, data.email, data.password)


def _used_up() -> NotFoundError:
    return NotFoundError(
        "This set-up link was used already, or is too old.",
        hint="A server without any login prints a new one when it starts.",
    )


def _cookie(request: AnyRequest, value: str, max_age_s: int) -> Cookie:
    return Cookie(
        COOKIE,
        value=value,
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=is_https(request),
        path=_PATH,
    )


def _form(
    request: AnyRequest, services: Services, email: str = "", error: str = "", *, status: int = 200
) -> Template:
    token, cookie = issue_form_token(request, services)
    return page(
        request,
        "setup.html",
        status=status,
        cookies=[cookie],
        form_token=token,
        email=email,
        error=error,
    )
