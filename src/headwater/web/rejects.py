"""Show what the Collector API could not understand: the reasons by number, then the items.

In: an app, perhaps a kind and a reason. Out: a page; each item with the place of its fault and its
sample, secrets masked. Items older than the range are in the API.
"""

from typing import cast
from urllib.parse import urlencode

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.analytics import QueryScope, ReasonCount, RejectedItem, Rejects, answer
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.figures import DAYS, show_count, show_moment
from headwater.web.pages import AnyRequest, page
from headwater.web.services import Services
from headwater.workspace import App

_ITEMS = 25


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the upper table; `url` shows its items."""

    count: str
    kind: str
    field: str
    reason: str
    last: str
    url: str
    chosen: bool


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the lower table."""

    moment: str
    kind: str
    field: str
    reason: str
    sample: str


class RejectsController(Controller):
    """`/rejects`."""

    path = "/rejects"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        app: FromQuery[str] = "",
        kind: FromQuery[str] = "",
        reason: FromQuery[str] = "",
        field: FromQuery[str] = "",
        cursor: FromQuery[str] = "",
    ) -> Template:
        """Show one page of items, and all reasons."""
        apps, chosen = await choose_app(services, app)
        wanted = {"kind": kind, "reason": reason, "field": field}
        found = await _ask(services, chosen, {**wanted, "cursor": cursor})
        older = {**wanted, "cursor": found.next_cursor} if found.next_cursor else {}
        return page(
            request,
            "rejects.html",
            apps=apps,
            app=chosen,
            days=DAYS,
            reasons=[_to_reason(one, chosen, wanted) for one in found.reasons],
            items=[_to_item(one, chosen) for one in found.items],
            chosen=" · ".join(filter(None, wanted.values())),
            all_url=_url(chosen, {}),
            older_url=_url(chosen, older) if older else "",
        )


async def _ask(services: Services, app: App, wanted: dict[str, str]) -> Rejects:
    spec = msgspec.json.encode({"from": f"-{DAYS}d", "limit": _ITEMS, **wanted})
    scope = QueryScope(app.id, app.timezone)
    return cast("Rejects", await answer(services.store, scope, "rejects", spec, services.clock))


def _url(app: App, wanted: dict[str, str]) -> str:
    given = {name: value for name, value in wanted.items() if value}
    return f"/rejects?{urlencode({'app': app.id, **given})}"


def _to_reason(one: ReasonCount, app: App, wanted: dict[str, str]) -> Reason:
    own = {"kind": one.kind, "reason": one.reason, "field": one.field}
    return Reason(
        count=show_count(one.count),
        kind=one.kind,
        field=one.field,
        reason=one.reason,
        last=show_moment(one.last_at, app.timezone),
        url=_url(app, own),
        chosen=own == wanted,
    )


def _to_item(one: RejectedItem, app: App) -> Item:
    return Item(
        moment=show_moment(one.received_at, app.timezone),
        kind=one.kind,
        field=one.field,
        reason=one.reason,
        sample=one.sample,
    )
