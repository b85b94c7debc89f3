"""Ask by HTTP: `POST /api/v1/apps/{app_id}/query/{kind}`, and see what was rejected.

In: the JSON of a question. Out: the JSON of the report, the very same that pages are drawn from.
"""

from typing import Any, cast

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Response

from headwater.analytics import QueryScope, ReasonCount, RejectedItem, Rejects, answer
from headwater.base.errors import InvalidInputError
from headwater.web.api.paging import MOST_ITEMS
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import App, get_app


class RejectPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page, newest first, and how often each thing was wrong."""

    items: list[RejectedItem]
    reasons: list[ReasonCount]
    next_cursor: str | None


_EVER = "1970-01-01T00:00:00Z"


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
        """Answer a question of one kind: `events`, `count`, `timeseries` and more.

        The other kinds are `users`, `companies`, `user_timeline`, `company_timeline`, `actions`,
        `subscriptions` and `rejects`. The body is the question, in JSON; an empty body asks with
        defaults.
        """
        found = await _answer(services, app_id, kind, await request.body())
        return Response(msgspec.json.encode(found), media_type="application/json")

    @get("/rejects", guards=[needs("read")])
    async def rejects(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
        kind: FromQuery[str] = "",
        reason: FromQuery[str] = "",
        field: FromQuery[str] = "",
    ) -> RejectPage:
        """List what the Collector API could not understand, newest first, and count the reasons.

        The same as the query `rejects` over all time.
        """
        if not 1 <= limit <= MOST_ITEMS:
            raise InvalidInputError(f"A limit is 1 to {MOST_ITEMS}.", field="limit")
        page = {"from": _EVER, "limit": limit, "cursor": cursor}
        spec = msgspec.json.encode({**page, "kind": kind, "reason": reason, "field": field})
        raw = await _answer(services, app_id, "rejects", spec)
        found = cast("Rejects", raw)
        return RejectPage(items=found.items, reasons=found.reasons, next_cursor=found.next_cursor)


async def _answer(services: Services, app_id: str, kind: str, spec: bytes) -> msgspec.Struct:
    app: App = await services.configdb.run(get_app, app_id)
    scope = QueryScope(app.id, app.timezone)
    return await answer(services.store, scope, kind, spec, services.clock)
