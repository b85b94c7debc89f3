"""Manage extensions by HTTP: the gallery, and each app's Segment connection.

In: JSON. Out: JSON. The partner key comes in and is only ever shown masked. A sync is answered when
it is done.
"""

from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import InvalidInputError
from headwater.extensions import GALLERY, ExtensionType, RunResult, SegmentStatus, segment
from headwater.sources import find_by_write_key
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import get_app


class NewConnection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PUT …/extensions/segment`."""

    partner_key: str
    endpoint: str = ""
    """Base URL of a Tracking API; empty: the source built into this server."""
    payload_version: str = ""
    """Empty: that of the source whose key it is, else `current`."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync would send now."""

    messages: list[dict[str, Any]]


class ExtensionsController(Controller):
    """`/api/v1/extensions` and `/api/v1/apps/{app_id}/extensions/segment`."""

    path = "/api/v1"
    tags = ("Extensions",)

    @get("/extensions", guards=[needs("read")])
    async def gallery(
        self, limit: FromQuery[int] = 100, cursor: FromQuery[str] = ""
    ) -> Page[ExtensionType]:
        """List what can be connected."""
        return page_of(GALLERY, lambda entry: entry.type, limit, cursor)

    @put("/apps/{app_id:str}/extensions/segment", guards=[needs("admin")])
    async def connect(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[NewConnection],
    ) -> SegmentStatus:
        """Connect an app, or change how it is connected; pausing ends."""
        endpoint = segment.clean_endpoint(data.endpoint)
        if endpoint:
            services.egress.check_url(endpoint)
        app = await services.configdb.run(get_app, app_id)
        await services.configdb.run(_connect, services, app.id, data)
        return await services.segment.status(app)

    @post("/apps/{app_id:str}/extensions/segment/pause", guards=[needs("admin")], status_code=200)
    async def pause(
        self, services: NamedDependency[Services], app_id: FromPath[str]
    ) -> SegmentStatus:
        """Send nothing until resumed; what waits stays."""
        await services.configdb.run(segment.set_enabled, app_id, enabled=False)
        return await services.segment.status(await services.configdb.run(get_app, app_id))

    @post("/apps/{app_id:str}/extensions/segment/resume", guards=[needs("admin")], status_code=200)
    async def resume(
        self, services: NamedDependency[Services], app_id: FromPath[str]
    ) -> SegmentStatus:
        """Send again."""
        await services.configdb.run(segment.set_enabled, app_id, enabled=True)
        return await services.segment.status(await services.configdb.run(get_app, app_id))

    @get("/apps/{app_id:str}/extensions/segment/preview", guards=[needs("read")])
    async def preview(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        user_id: FromQuery[str] = "",
        limit: FromQuery[int] = segment.MOST_PREVIEWED,
    ) -> Preview:
        """Show the exact messages that a sync would send now, of one user or of all."""
        if not 1 <= limit <= segment.MOST_PREVIEWED:
            raise InvalidInputError(f"A limit is 1 to {segment.MOST_PREVIEWED}.", field="limit")
        app = await services.configdb.run(get_app, app_id)
        return Preview(messages=await services.segment.preview(app, user_id or None, limit=limit))

    @post("/apps/{app_id:str}/extensions/segment/sync", guards=[needs("write")], status_code=200)
    async def sync(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        full: FromQuery[bool] = False,
    ) -> RunResult:
        """Send what changed, or with `full` look at every user; nothing is sent twice."""
        app = await services.configdb.run(get_app, app_id)
        return await services.segment.sync(app, full=full)

    @get("/apps/{app_id:str}/extensions/segment/status", guards=[needs("read")])
    async def status(
        self, services: NamedDependency[Services], app_id: FromPath[str]
    ) -> SegmentStatus:
        """Show where it sends, how far it is, what waits and what was refused."""
        return await services.segment.status(await services.configdb.run(get_app, app_id))


def _connect(
    connection: sa.Connection, services: Services, app_id: str, data: NewConnection
) -> None:
    source = find_by_write_key(connection, data.partner_key.strip())
    known = source.payload_version if source else ""
    segment.connect(
        connection,
        services.vault,
        services.clock,
        app_id,
        data.partner_key,
        endpoint=data.endpoint,
        payload_version=data.payload_version or known or segment.PAYLOAD_VERSIONS[0],
    )
