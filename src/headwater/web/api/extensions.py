"""Manage extensions by HTTP: the gallery, and each app's connections.

In: JSON. Out: JSON. A secret comes in and is only ever shown masked. Which extensions there are is
the gallery's matter: every path takes the type's name. What they send is asked in `sending`.
"""

from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import InvalidInputError
from headwater.extensions import (
    GALLERY,
    Condition,
    ExtensionType,
    Status,
    find_extension,
)
from headwater.sources import Source, find_by_write_key
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import App, get_app

ONE = "/apps/{app_id:str}/extensions/{type_:str}"


class NewSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PUT …/schedule`."""

    schedule: str
    """`every 5 minutes`, `hourly`, `daily 03:00`, `live`; empty: the server's default."""


class NewAudience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PUT …/audience`."""

    conditions: list[Condition] = []
    """All must hold; none: everybody."""
    cohort: str = ""
    """Instead of conditions: a cohort, by its id or name."""


class ExtensionsController(Controller):
    """`/api/v1/extensions` and `/api/v1/apps/{app_id}/extensions/{type}`."""

    path = "/api/v1"
    tags = ("Extensions",)

    @get("/extensions", guards=[needs("read")])
    async def gallery(
        self, limit: FromQuery[int] = 100, cursor: FromQuery[str] = ""
    ) -> Page[ExtensionType]:
        """List what can be connected, and what has to be filled in for it."""
        return page_of(GALLERY, lambda entry: entry.type, limit, cursor)

    @get("/apps/{app_id:str}/extensions", guards=[needs("read")])
    async def connections(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[Status]:
        """Show how each connection of an app is doing."""
        app = await find_app(services, app_id)
        found = [one for one in await services.extensions.connections() if one.app_id == app.id]
        statuses = [await services.extensions.status(app, one.type) for one in found]
        return page_of(statuses, lambda status: status.type, limit, cursor)

    @put(ONE, guards=[needs("admin")])
    async def connect(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        data: JSONBody[dict[str, Any]],
        check: FromQuery[bool] = True,
    ) -> Status:
        """Connect an app, or change how it is connected; pausing ends.

        The body holds the settings that the gallery declares for the type. The secret is tried at
        the endpoint before anything is saved, unless `check` is false; left out, it stays what it
        was.
        """
        app = await find_app(services, app_id)
        values = await services.configdb.run(complete_from_source, type_, data)
        return await services.extensions.connect(app, type_, values, check=check)

    @post(f"{ONE}/pause", guards=[needs("admin")], status_code=200)
    async def pause(
        self, services: NamedDependency[Services], app_id: FromPath[str], type_: FromPath[str]
    ) -> Status:
        """Send nothing until resumed; what waits stays."""
        return await services.extensions.pause(await find_app(services, app_id), type_)

    @post(f"{ONE}/resume", guards=[needs("admin")], status_code=200)
    async def resume(
        self, services: NamedDependency[Services], app_id: FromPath[str], type_: FromPath[str]
    ) -> Status:
        """Send again."""
        return await services.extensions.resume(await find_app(services, app_id), type_)

    @put(f"{ONE}/schedule", guards=[needs("admin")])
    async def schedule(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        data: JSONBody[NewSchedule],
    ) -> Status:
        """Change when it syncs by itself."""
        app = await find_app(services, app_id)
        return await services.extensions.schedule(app, type_, data.schedule)

    @put(f"{ONE}/audience", guards=[needs("admin")])
    async def audience(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        data: JSONBody[NewAudience],
    ) -> Status:
        """Change whom it sends: a cohort, or users who meet all conditions.

        Everybody is looked at once more.
        """
        app = await find_app(services, app_id)
        if not data.cohort:
            return await services.extensions.choose(app, type_, data.conditions)
        if data.conditions:
            raise InvalidInputError("It is a cohort or conditions, not both.", field="cohort")
        return await services.extensions.choose_cohort(app, type_, data.cohort)


async def find_app(services: Services, app_id: str) -> App:
    return await services.configdb.run(get_app, app_id)


def complete_from_source(
    connection: sa.Connection, type_: str, values: dict[str, Any]
) -> dict[str, Any]:
    """Fill in what follows from the source of this server whose write key the secret is."""
    declaration = find_extension(type_).declaration
    secret = values.get(declaration.secret.name)
    source = find_by_write_key(connection, secret.strip()) if isinstance(secret, str) else None
    if source is None:
        return values
    known = {
        setting.name: _field_of(source, setting.of_source)
        for setting in declaration.settings
        if setting.of_source
    }
    return known | {name: value for name, value in values.items() if value or name not in known}


def _field_of(source: Source, name: str) -> str:
    return str(getattr(source, name))
