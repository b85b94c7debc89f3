"""Manage by HTTP which users are never sent to other systems.

In: JSON. Out: JSON. Who they are is not kept: the list shows keyed fingerprints.
"""

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.web.api.extensions import find_app
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import Suppression, allow_user, list_suppressed


class Whom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of both changes."""

    user_id: str


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """How it is now."""

    user_id: str
    suppressed: bool


class SuppressedController(Controller):
    """`/api/v1/apps/{app_id}/suppressed`."""

    path = "/api/v1/apps/{app_id:str}/suppressed"
    tags = ("Users",)

    @get("/", guards=[needs("read")])
    async def list_them(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[Suppression]:
        """List the users who are never sent, oldest first."""
        app = await find_app(services, app_id)
        found = await services.configdb.run(list_suppressed, app.id)
        return page_of(found, lambda one: one.fingerprint, limit, cursor)

    @post("/", guards=[needs("admin")], status_code=200)
    async def suppress(
        self, services: NamedDependency[Services], app_id: FromPath[str], data: JSONBody[Whom]
    ) -> Changed:
        """Never send this user again, through any extension; what waits is dropped."""
        await services.extensions.suppress(await find_app(services, app_id), data.user_id)
        return Changed(user_id=data.user_id, suppressed=True)

    @post("/allow", guards=[needs("admin")], status_code=200)
    async def allow(
        self, services: NamedDependency[Services], app_id: FromPath[str], data: JSONBody[Whom]
    ) -> Changed:
        """Send this user again from the next change on."""
        app = await find_app(services, app_id)
        await services.configdb.run(allow_user, services.vault, app.id, data.user_id)
        return Changed(user_id=data.user_id, suppressed=False)
