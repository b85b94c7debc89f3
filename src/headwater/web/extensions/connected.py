"""Show what a connection does, and steer it.

In: an app, a type, what was pressed. Out: one page; its upper part refreshes alone. What was asked
for and refused is said on the same page, with what was typed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError, NotFoundError
from headwater.extensions import Cohort, Status, list_cohorts
from headwater.web.auth import needs
from headwater.web.conditions import show_conditions
from headwater.web.extensions.acts import NOTICES, SENDING, STEERING, Act
from headwater.web.extensions.place import Place, find_place, may
from headwater.web.extensions.telling import tell_counts, tell_health, tell_progress, tell_run
from headwater.web.figures import show_moment
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services
from headwater.workspace import App


class ConnectedController(Controller):
    """`/extensions/{type}` and what can be done there."""

    path = "/extensions/{type_:str}"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str] = "",
        said: FromQuery[str] = "",
    ) -> Template | Redirect:
        """Show the page; without a connection the form that makes one."""
        place = await find_place(services, app, type_)
        if place.status is None:
            elsewhere = f"/extensions?app={place.app.id}"
            return see_other(place.url("/settings") if may(request, "admin") else elsewhere)
        cohorts = await services.configdb.run(list_cohorts, place.app.id)
        return _page(request, place, place.status, cohorts, notice=NOTICES.get(said, ""))

    @get("/live")
    async def refresh(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        app: FromQuery[str],
    ) -> Template:
        """Show the state anew."""
        place = await find_place(services, app, type_)
        if place.status is None:
            raise NotFoundError("The extension is not connected for this app.")
        return page(request, "extensions/live.html", **_live(request, place, place.status))

    @post("/do/{act:str}", guards=[needs("write")])
    async def send(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        act: FromPath[str],
        app: FromQuery[str],
    ) -> Template | Redirect:
        """Do what sends: sync, resend, send the past."""
        return await _act(request, services, await find_place(services, app, type_), SENDING, act)

    @post("/set/{act:str}", guards=[needs("admin")])
    async def steer(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        type_: FromPath[str],
        act: FromPath[str],
        app: FromQuery[str],
    ) -> Template | Redirect:
        """Do what changes the connection: pause, resume, its schedule, its audience."""
        return await _act(request, services, await find_place(services, app, type_), STEERING, act)


async def _act(
    request: AnyRequest, services: Services, place: Place, acts: Mapping[str, Act], name: str
) -> Template | Redirect:
    if name not in acts:
        raise NotFoundError("There is nothing of this name to do.")
    form = await request.form()
    try:
        await acts[name](services.extensions, place.app, place.entry.type, form)
    except HeadwaterError as err:
        if place.status is None:
            raise
        typed = {key: str(value) for key, value in form.items()}
        cohorts = await services.configdb.run(list_cohorts, place.app.id)
        return _page(request, place, place.status, cohorts, failed=name, err=err, typed=typed)
    return see_other(place.url(said=name))


def _page(
    request: AnyRequest,
    place: Place,
    status: Status,
    cohorts: Sequence[Cohort],
    *,
    notice: str = "",
    failed: str = "",
    err: HeadwaterError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Template:
    given = typed or {}
    return page(
        request,
        "extensions/connected.html",
        status=int(err.status) if err else 200,
        apps=place.apps,
        notice=notice,
        failed=failed,
        error=f"{err.message} {err.hint}".strip() if err else "",
        schedule=given.get("schedule", status.schedule),
        audience=given.get("audience", "" if status.cohort else show_conditions(status.audience)),
        cohort_id=given.get("cohort", status.cohort_id),
        cohorts=cohorts,
        first_day=given.get("first_day", ""),
        last_day=given.get("last_day", ""),
        then=given.get("profile") == "then",
        dead=[(one, show_moment(one.created_at, place.app.timezone)) for one in status.dead],
        **_live(request, place, status),
    )


def _live(request: AnyRequest, place: Place, status: Status) -> dict[str, Any]:
    app = place.app
    return {
        "place": place,
        "app": app,
        "entry": place.entry,
        "connection": status,
        "health": tell_health(status, app),
        "counts": tell_counts(status),
        "progress": tell_progress(status.backfill),
        "next_run": _next(status.next_run_at, app),
        "runs": [tell_run(run, app) for run in status.runs],
        "may_send": may(request, "write"),
        "may_steer": may(request, "admin"),
    }


def _next(at: datetime | None, app: App) -> str:
    return show_moment(at, app.timezone) if at else ""
