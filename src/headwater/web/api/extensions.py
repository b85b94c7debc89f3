"""Manage extensions by HTTP: the gallery, and each app's connections.

In: JSON. Out: JSON. A secret comes in and is only ever shown masked. A sync is answered when it is
done. Which extensions there are is the gallery's matter: every path takes the type's name.
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
    MOST_PREVIEWED,
    ExtensionType,
    RunResult,
    Status,
    find_extension,
)
from headwater.sources import Source, find_by_write_key
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import App, get_app

_ONE = "/apps/{app_id:str}/extensions/{type_:str}"


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync would send now."""

    messages: list[dict[str, Any]]


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
        app = await _app(services, app_id)
        found = [one for one in await services.extensions.connections() if one.app_id == app.id]
        statuses = [await services.extensions.status(app, one.type) for one in found]
        return page_of(statuses, lambda status: status.type, limit, cursor)

    @put(_ONE, guards=[needs("admin")])
    async def connect(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        data: JSONBody[dict[str, Any]],
    ) -> Status:
        """Connect an app, or change how it is connected; pausing ends.

        The body holds the settings that the gallery declares for the type.
        """
        app = await _app(services, app_id)
        values = await services.configdb.run(_complete, type_, data)
        return await services.extensions.connect(app, type_, values)

    @post(f"{_ONE}/pause", guards=[needs("admin")], status_code=200)
    async def pause(
        self, services: NamedDependency[Services], app_id: FromPath[str], type_: FromPath[str]
    ) -> Status:
        """Send nothing until resumed; what waits stays."""
        return await services.extensions.pause(await _app(services, app_id), type_)

    @post(f"{_ONE}/resume", guards=[needs("admin")], status_code=200)
    async def resume(
        self, services: NamedDependency[Services], app_id: FromPath[str], type_: FromPath[str]
    ) -> Status:
        """Send again."""
        return await services.extensions.resume(await _app(services, app_id), type_)

    @get(f"{_ONE}/preview", guards=[needs("read")])
    async def preview(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        user_id: FromQuery[str] = "",
        limit: FromQuery[int] = MOST_PREVIEWED,
    ) -> Preview:
        """Show the exact messages that a sync would send now, of one user or of all."""
        if not 1 <= limit <= MOST_PREVIEWED:
            raise InvalidInputError(f"A limit is 1 to {MOST_PREVIEWED}.", field="limit")
        app = await _app(services, app_id)
        return Preview(messages=await services.extensions.preview(app, type_, user_id, limit=limit))

    @post(f"{_ONE}/sync", guards=[needs("write")], status_code=200)
    async def sync(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        full: FromQuery[bool] = False,
    ) -> RunResult:
        """Send what changed, or with `full` look at every user; nothing is sent twice."""
        return await services.extensions.sync(await _app(services, app_id), type_, full=full)

    @get(f"{_ONE}/status", guards=[needs("read")])
    async def status(
        self, services: NamedDependency[Services], app_id: FromPath[str], type_: FromPath[str]
    ) -> Status:
        """Show where it sends, how far it is, what waits and what was refused."""
        return await services.extensions.status(await _app(services, app_id), type_)


async def _app(services: Services, app_id: str) -> App:
    return await services.configdb.run(get_app, app_id)


def _complete(connection: sa.Connection, type_: str, values: dict[str, Any]) -> dict[str, Any]:
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
