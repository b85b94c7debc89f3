"""Show which companies use an API: a list to search and to sort.

In: an app, a search, an order, a cursor. Out: a page of companies, from the query `companies`, each
with the lifecycle and the name that profiles know.
"""

from datetime import datetime

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.profiles import Company
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.figures import DAYS, show_count
from headwater.web.pages import AnyRequest, page
from headwater.web.people.asking import ask
from headwater.web.people.links import company_url, list_url
from headwater.web.people.users import NEWEST, ORDERS, USERS_A_PAGE, Sort, show_seen
from headwater.web.services import Services
from headwater.workspace import App


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the answer to `companies`."""

    company_id: str
    name: str
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    users: int
    calls: int
    errors: int


class Companies(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `companies`."""

    companies: tuple[Found, ...]
    next_cursor: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One company of the list."""

    url: str
    name: str
    detail: str
    lifecycle: str
    first_seen: str
    last_seen: str
    users: str
    calls: str
    errors: str


class CompaniesController(Controller):
    """`/companies`."""

    path = "/companies"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        app: FromQuery[str] = "",
        q: FromQuery[str] = "",
        order: FromQuery[str] = NEWEST,
        cursor: FromQuery[str] = "",
    ) -> Template:
        """Show one page of companies."""
        apps, chosen = await choose_app(services, app)
        search = q.strip()
        found = await _find(services, chosen, search, order, cursor)
        known = await services.profiles.companies(
            chosen.id, [one.company_id for one in found.companies]
        )
        kept = {"app": chosen.id, "q": search, "order": order}
        return page(
            request,
            "people/companies.html",
            apps=apps,
            app=chosen,
            days=DAYS,
            companies=[_to_line(one, known.get(one.company_id), chosen) for one in found.companies],
            search=search,
            order=order,
            sorts=[
                Sort(
                    title=title,
                    url=list_url("/companies", **{**kept, "order": by}),
                    chosen=by == order,
                )
                for title, by in ORDERS
            ],
            first_url=list_url("/companies", **kept) if cursor else "",
            next_url=list_url("/companies", **kept, cursor=found.next_cursor)
            if found.next_cursor
            else "",
        )


async def _find(services: Services, app: App, search: str, order: str, cursor: str) -> Companies:
    spec = {"from": f"-{DAYS}d", "search": search, "order_by": order, "cursor": cursor}
    return await ask(services, app, "companies", {**spec, "limit": USERS_A_PAGE}, Companies)


def _to_line(found: Found, known: Company | None, app: App) -> Line:
    name = known.name if known else ""
    return Line(
        url=company_url(app, found.company_id),
        name=name or found.company_id,
        detail=found.company_id if name else "",
        lifecycle=known.lifecycle if known else "",
        first_seen=show_seen(found.first_seen_at, app),
        last_seen=show_seen(found.last_seen_at, app),
        users=show_count(found.users),
        calls=show_count(found.calls),
        errors=show_count(found.errors),
    )
