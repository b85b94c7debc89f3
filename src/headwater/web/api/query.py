"""Ask by HTTP: `POST /api/v1/apps/{app_id}/query/{kind}`, and see what was rejected.

In: the JSON of a question. Out: the JSON of the report, the very same that pages are drawn from.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Response

from headwater.analytics import QueryScope, answer, list_rejects
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import App, get_app


class RejectItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that could not be understood; secrets in the sample are masked."""

    reject_id: str
    received_at: datetime
    kind: str
    reason: str
    field: str
    sample: str


class RejectPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page, newest first."""

    items: list[RejectItem]
    next_cursor: str | None


class QueryController(Controller):
    """Questions about one app."""

    path = "/api/v1/apps/{app_id:str}"
    tags = ("Queries",)

    @post("/query/{kind:str}", guards=[needs("read")], status_code=200)
    async def ask(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        kind: FromPath[str],
        request: Request[Any, Any, Any],
    ) -> Response[bytes]:
        """Answer `events`, `count`, `timeseries`, `users` or `user_timeline`.

        The body is the question, in JSON; an empty body asks with defaults.
        """
        app: App = await services.configdb.run(get_app, app_id)
        scope = QueryScope(app.id, app.timezone)
        found = await answer(services.store, scope, kind, await request.body(), services.clock)
        return Response(msgspec.json.encode(found), media_type="application/json")

    @get("/rejects", guards=[needs("read")])
    async def rejects(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> RejectPage:
        """List what the Collector API could not understand, newest first."""
        app: App = await services.configdb.run(get_app, app_id)
        items, following = await list_rejects(services.store, app.id, limit=limit, cursor=cursor)
        return RejectPage(items=msgspec.convert(items, list[RejectItem]), next_cursor=following)
