"""Manage apps by HTTP: list them, add one.

In: JSON. Out: JSON. The example for the other controllers: a struct for each body, one guard for
each handler, and the room's own functions behind them.
"""

from datetime import datetime

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import App, create_app, list_apps


class NewApp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/apps`."""

    name: str
    timezone: str = "UTC"


class AppItem(msgspec.Struct, frozen=True, kw_only=True):
    """One app in the list."""

    app_id: str
    name: str
    timezone: str
    created_at: datetime


class CreatedApp(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: send calls with this collector application id."""

    app_id: str
    name: str
    timezone: str
    collector_application_id: str


class AppsController(Controller):
    """`/api/v1/apps`."""

    path = "/api/v1/apps"
    tags = ("Apps",)

    @get(guards=[needs("read")])
    async def list_all(
        self,
        services: NamedDependency[Services],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[AppItem]:
        """List the apps, oldest first."""
        apps = [_item(app) for app in await services.configdb.run(list_apps)]
        return page_of(apps, lambda app: app.app_id, limit, cursor)

    @post(guards=[needs("admin")])
    async def create(
        self, services: NamedDependency[Services], data: JSONBody[NewApp]
    ) -> CreatedApp:
        """Add an app and make its first collector application id."""
        app, key = await services.configdb.run(
            create_app, services.vault, services.clock, data.name, data.timezone
        )
        return CreatedApp(
            app_id=app.id, name=app.name, timezone=app.timezone, collector_application_id=key
        )


def _item(app: App) -> AppItem:
    return AppItem(app_id=app.id, name=app.name, timezone=app.timezone, created_at=app.created_at)
