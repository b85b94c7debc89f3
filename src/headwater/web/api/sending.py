"""Show and steer by HTTP what an extension sends: preview, test, sync, history, backfills.

In: JSON. Out: JSON. A sync and a test are answered when they are done; a backfill goes on alone.
"""

from typing import Any

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import InvalidInputError
from headwater.extensions import (
    MOST_PREVIEWED,
    Backfill,
    DeadItem,
    ProfileOf,
    Run,
    RunResult,
    Status,
    Trial,
)
from headwater.web.api.extensions import ONE, find_app
from headwater.web.api.paging import MOST_ITEMS, Page
from headwater.web.auth import needs
from headwater.web.services import Services


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync would send now."""

    messages: list[dict[str, Any]]


class NewTrial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST …/test`."""

    user_id: str


class Resend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST …/dead/resend`."""

    message_ids: list[str] = []
    """None: all of them."""


class Resent(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages became due again."""

    resent: int


class NewBackfill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST …/backfills`."""

    first_day: str
    last_day: str
    """Both in the app's zone, such as 2026-11-22; both are sent."""
    profile: ProfileOf = "now"
    """Tell people as they are, or as they were `then`, at the end of each day."""


class SendingController(Controller):
    """`/api/v1/apps/{app_id}/extensions/{type}/…`: what was sent and what will be."""

    path = "/api/v1"
    tags = ("Extensions",)

    @get(f"{ONE}/preview", guards=[needs("read")])
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
        app = await find_app(services, app_id)
        messages = await services.extensions.preview(app, type_, user_id, limit=limit)
        return Preview(messages=messages)

    @post(f"{ONE}/test", guards=[needs("write")], status_code=200)
    async def test(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        data: JSONBody[NewTrial],
    ) -> Trial:
        """Send one user's message now, and show the request and the answer."""
        app = await find_app(services, app_id)
        return await services.extensions.test(app, type_, data.user_id)

    @post(f"{ONE}/sync", guards=[needs("write")], status_code=200)
    async def sync(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        full: FromQuery[bool] = False,
    ) -> RunResult:
        """Send what changed, or with `full` look at every user; nothing is sent twice."""
        return await services.extensions.sync(await find_app(services, app_id), type_, full=full)

    @get(f"{ONE}/status", guards=[needs("read")])
    async def status(
        self, services: NamedDependency[Services], app_id: FromPath[str], type_: FromPath[str]
    ) -> Status:
        """Show where it sends, how far it is, what waits and what was refused."""
        return await services.extensions.status(await find_app(services, app_id), type_)

    @get(f"{ONE}/runs", guards=[needs("read")])
    async def runs(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[Run]:
        """List the runs, newest first; of those that found nothing only the last."""
        app = await find_app(services, app_id)
        found = await services.extensions.runs(app, type_, limit=_checked(limit), cursor=cursor)
        return Page(items=found, next_cursor=found[-1].id if len(found) == limit else None)

    @get(f"{ONE}/dead", guards=[needs("read")])
    async def dead(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[DeadItem]:
        """List the messages that were refused for good, each with the answer."""
        app = await find_app(services, app_id)
        found = await services.extensions.dead(app, type_, limit=_checked(limit), cursor=cursor)
        return Page(items=found, next_cursor=found[-1].message_id if len(found) == limit else None)

    @post(f"{ONE}/dead/resend", guards=[needs("write")], status_code=200)
    async def resend(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        data: JSONBody[Resend],
    ) -> Resent:
        """Make refused messages due again, some or all; they are sent within seconds."""
        app = await find_app(services, app_id)
        return Resent(resent=await services.extensions.resend(app, type_, data.message_ids))

    @get(f"{ONE}/backfills", guards=[needs("read")])
    async def backfills(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        limit: FromQuery[int] = 100,
    ) -> Page[Backfill]:
        """List the newest backfills and how far they are."""
        app = await find_app(services, app_id)
        found = await services.extensions.backfills(app, type_, limit=_checked(limit))
        return Page(items=found)

    @post(f"{ONE}/backfills", guards=[needs("write")], status_code=202)
    async def backfill(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        type_: FromPath[str],
        data: JSONBody[NewBackfill],
    ) -> Backfill:
        """Begin to send the past, day by day; see how far it is with GET."""
        app = await find_app(services, app_id)
        return await services.extensions.backfill(
            app, type_, data.first_day, data.last_day, data.profile
        )

    @post(f"{ONE}/backfills/cancel", guards=[needs("write")], status_code=200)
    async def cancel_backfill(
        self, services: NamedDependency[Services], app_id: FromPath[str], type_: FromPath[str]
    ) -> Backfill:
        """Make no more of the backfill on its way; what is in the outbox is still sent."""
        app = await find_app(services, app_id)
        return await services.extensions.cancel_backfill(app, type_)


def _checked(limit: int) -> int:
    if not 1 <= limit <= MOST_ITEMS:
        raise InvalidInputError(f"A limit is 1 to {MOST_ITEMS}.", field="limit")
    return limit
