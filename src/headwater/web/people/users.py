"""Show who uses an API: a list to search and to sort.

In: an app, a search, an order, a cursor. Out: a page of users, from the query `users`, each with
the lifecycle that profiles know.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.profiles import Person
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.figures import DAYS, show_count, show_moment
from headwater.web.pages import AnyRequest, page
from headwater.web.people.asking import ask
from headwater.web.people.links import company_url, list_url, user_url
from headwater.web.services import Services
from headwater.workspace import App

USERS_A_PAGE = 50
NEWEST = "-last_seen_at"
ORDERS = (
    ("Last seen", NEWEST),
    ("First seen", "-first_seen_at"),
    (f"Calls, {DAYS} days", "-calls"),
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the answer to `users`."""

    user_id: str
    name: str
    email: str
    company_id: str
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    calls: int
    errors: int


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `users`."""

    users: tuple[Found, ...]
    next_cursor: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One user of the list."""

    url: str
    name: str
    detail: str
    company: str
    company_url: str
    lifecycle: str
    first_seen: str
    last_seen: str
    calls: str
    errors: str


class Sort(msgspec.Struct, frozen=True, kw_only=True):
    """One way to sort."""

    title: str
    url: str
    chosen: bool


class UsersController(Controller):
    """`/users`."""

    path = "/users"
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
        """Show one page of users."""
        apps, chosen = await choose_app(services, app)
        search = q.strip()
        users, following = await list_lines(services, chosen, search, order, cursor)
        kept = {"app": chosen.id, "q": search, "order": order}
        return page(
            request,
            "people/users.html",
            apps=apps,
            app=chosen,
            days=DAYS,
            users=users,
            search=search,
            order=order,
            sorts=[
                Sort(
                    title=title, url=list_url("/users", **{**kept, "order": by}), chosen=by == order
                )
                for title, by in ORDERS
            ],
            first_url=list_url("/users", **kept) if cursor else "",
            next_url=list_url("/users", **kept, cursor=following) if following else "",
        )


async def list_lines(
    services: Services,
    app: App,
    search: str = "",
    order: str = NEWEST,
    cursor: str = "",
    filters: object = None,
) -> tuple[list[Line], str]:
    """Return some users as the list shows them, and the cursor of the next ones."""
    spec = {"from": f"-{DAYS}d", "search": search, "order_by": order, "cursor": cursor}
    more = {"limit": USERS_A_PAGE, "filters": filters}
    found = await ask(services, app, "users", {**spec, **more}, Users)
    people = await services.profiles.people(app.id, [user.user_id for user in found.users])
    stands = {id_: person.lifecycle for id_, person in people.items()}
    lines = [_to_line(user, stands.get(user.user_id, ""), app) for user in found.users]
    return lines, found.next_cursor or ""


async def lines_of(services: Services, app: App, users: Sequence[Person]) -> list[Line]:
    """Return these users as the list shows them, in their order."""
    ids = [user.id for user in users]
    if not ids:
        return []
    theirs = {"field": "user_id", "op": "in", "value": ids}
    spec = {"from": f"-{DAYS}d", "limit": len(ids), "filters": theirs}
    called = {one.user_id: one for one in (await ask(services, app, "users", spec, Users)).users}
    people = await services.profiles.people(app.id, ids)
    return [
        _to_line(called.get(user.id) or _silent(user), people[user.id].lifecycle, app)
        for user in users
    ]


def _silent(user: Person) -> Found:
    return Found(
        user_id=user.id,
        name=user.name,
        email=user.email,
        company_id=user.company_id,
        first_seen_at=user.first_seen_at,
        last_seen_at=user.last_seen_at,
        calls=0,
        errors=0,
    )


def _to_line(user: Found, lifecycle: str, app: App) -> Line:
    return Line(
        url=user_url(app, user.user_id),
        name=user.name or user.user_id,
        detail=" · ".join(filter(None, (user.email, user.user_id if user.name else ""))),
        company=user.company_id,
        company_url=company_url(app, user.company_id) if user.company_id else "",
        lifecycle=lifecycle,
        first_seen=show_seen(user.first_seen_at, app),
        last_seen=show_seen(user.last_seen_at, app),
        calls=show_count(user.calls),
        errors=show_count(user.errors),
    )


def show_seen(at: datetime | None, app: App) -> str:
    """Return the moment, or that there was none."""
    return show_moment(at, app.timezone) if at else "never"
