"""Show the first page: the last 30 days of one app, and how complete the numbers are.

In: an app, chosen by `?app=`. Out: a page of panels; each can be asked for alone, so that it
refreshes alone, and one that fails takes no other with it. Before the first call: how to send it.
"""

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from headwater.base.errors import HeadwaterError, NotFoundError
from headwater.base.telemetry import get_logger
from headwater.web.auth import Actor, needs
from headwater.web.choice import choose_app
from headwater.web.figures import last_days, show_period
from headwater.web.first_call import show_examples
from headwater.web.pages import AnyRequest, page
from headwater.web.panels import PANELS, Panel
from headwater.web.questions import Questions
from headwater.web.services import Services
from headwater.workspace import App, collector_key, get_app

_log = get_logger("web")


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A panel as its template needs it; `facts` is None when they could not be read."""

    name: str
    title: str
    wide: bool
    card: bool
    calm: bool
    every_s: int
    url: str
    facts: Any
    error: str


class OverviewController(Controller):
    """`/` and its panels."""

    include_in_schema = False
    guards = (needs("read"),)

    @get("/")
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], app: FromQuery[str] = ""
    ) -> Template:
        """Show the whole page."""
        apps, chosen = await choose_app(services, app)
        if not await _has_calls(services, chosen):
            return await _show_waiting(request, services, apps, chosen)
        panels = await asyncio.gather(
            *(_fill(services, chosen, panel) for panel in PANELS.values())
        )
        period = show_period(last_days(services.clock.now(), chosen.timezone))
        return page(request, "overview.html", apps=apps, app=chosen, panels=panels, period=period)

    @get("/overview/waiting")
    async def wait(
        self, services: NamedDependency[Services], app: FromQuery[str]
    ) -> Response[None]:
        """Answer nothing until the first call is stored; then let the page load anew."""
        chosen = await services.configdb.run(get_app, app)
        there = await Questions(services, chosen).has_calls()
        headers = {"hx-refresh": "true"} if there else {}
        return Response(None, status_code=HTTPStatus.NO_CONTENT, headers=headers)

    @get("/overview/{name:str}")
    async def show_panel(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        name: FromPath[str],
        app: FromQuery[str],
    ) -> Template:
        """Show one panel anew; a failure is answered as one, so that the old numbers stay."""
        if name not in PANELS:
            raise NotFoundError("There is no such panel.")
        chosen = await services.configdb.run(get_app, app)
        panel = PANELS[name]
        return page(request, "panel.html", panel=await _read(services, chosen, panel))


async def _has_calls(services: Services, app: App) -> bool:
    try:
        return await Questions(services, app).has_calls()
    except HeadwaterError:
        return True  # the panels will say what is wrong


async def _fill(services: Services, app: App, panel: Panel) -> Filled:
    try:
        return await _read(services, app, panel)
    except HeadwaterError as err:
        _log.warning("panel_failed", panel=panel.name, code=err.code, error=err.message)
        return _filled(app, panel, None, f"This could not be read: {err.message}")


async def _read(services: Services, app: App, panel: Panel) -> Filled:
    window = last_days(services.clock.now(), app.timezone)
    return _filled(app, panel, await panel.read(Questions(services, app), app, window), "")


def _filled(app: App, panel: Panel, facts: Any, error: str) -> Filled:
    return Filled(
        name=panel.name,
        title=panel.title,
        wide=panel.wide,
        card=panel.card or facts is None,
        calm=panel.calm,
        every_s=panel.every_s,
        url=f"/overview/{panel.name}?{urlencode({'app': app.id})}",
        facts=facts,
        error=error,
    )


async def _show_waiting(
    request: AnyRequest, services: Services, apps: list[App], app: App
) -> Template:
    actor: Actor = request.user
    may_write = "write" in actor.scopes
    key = await services.configdb.run(collector_key, services.vault, app.id) if may_write else ""
    url = services.settings.server.public_url or str(request.base_url).rstrip("/")
    examples = show_examples(url, key)
    return page(request, "waiting.html", apps=apps, app=app, url=url, key=key, examples=examples)
