"""Show by HTTP who a user or company is, and what they did.

In: ids. Out: profiles with what calls showed, companies from when, links with who said them; the
timelines, which are the queries `user_timeline` and `company_timeline`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Response

from headwater.analytics import QueryScope, answer
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.profiles import Company, CompanyLink, Person, Subscription, UserLink
from headwater.web.auth import needs
from headwater.web.people.links import IdInUrl
from headwater.web.services import Services
from headwater.workspace import get_app

Noun = TypeVar("Noun", Person, Company, Subscription)


class UserDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one user."""

    user: Person
    ttfhw_s: int | None
    """Seconds from the earliest moment to the first success."""
    companies: list[CompanyLink]
    """One after the other, oldest first."""
    links: list[UserLink]
    """Session keys and browsers, with who said that they are the user's."""


class CompanyDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one company."""

    company: Company
    ttfhw_s: int | None


class PeopleController(Controller):
    """Users, companies and subscriptions of one app, each by an id that can hold anything.

    An id is a query parameter, since one with a slash has no place in a path. In a path it works
    too, as long as it has none.
    """

    path = "/api/v1/apps/{app_id:str}"
    tags = ("People",)
    guards = (needs("read"),)

    @get("/user")
    async def show_user(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        id_: IdInUrl,
        at: FromQuery[str] = "",
    ) -> UserDetail:
        """Show one user: profile, first and last seen, campaigns, companies, links.

        As all of it was `at` a moment, if one is given; links are always those of today.
        """
        return await _user(services, app_id, id_, at)

    @get("/users/{user_id:str}")
    async def show_user_of_path(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        user_id: FromPath[str],
        at: FromQuery[str] = "",
    ) -> UserDetail:
        """Show what `GET …/user?id=` shows."""
        return await _user(services, app_id, user_id, at)

    @get("/user/timeline")
    async def show_timeline(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        id_: IdInUrl,
        days: FromQuery[int] = 90,
        kind: FromQuery[str] = "",
        limit: FromQuery[int] = 50,
        cursor: FromQuery[str] = "",
    ) -> Response[bytes]:
        """Show what one user did and how the profile changed in the last days, newest first.

        A `kind` is `call`, `action`, `profile` or `link`. The query `user_timeline` is the same
        with filters and any range.
        """
        page = {"limit": limit, "cursor": cursor}
        return await _timeline(services, app_id, "user", id_, days, kind, page)

    @get("/users/{user_id:str}/timeline")
    async def show_timeline_of_path(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        user_id: FromPath[str],
        days: FromQuery[int] = 90,
        kind: FromQuery[str] = "",
        limit: FromQuery[int] = 50,
        cursor: FromQuery[str] = "",
    ) -> Response[bytes]:
        """Show what `GET …/user/timeline?id=` shows."""
        page = {"limit": limit, "cursor": cursor}
        return await _timeline(services, app_id, "user", user_id, days, kind, page)

    @get("/companies")
    async def list_companies(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        search: FromQuery[str] = "",
        days: FromQuery[int] = 30,
        order_by: FromQuery[str] = "-last_seen_at",
        limit: FromQuery[int] = 50,
        cursor: FromQuery[str] = "",
    ) -> Response[bytes]:
        """List companies, with what their people did in the last days.

        The query `companies` is the same with filters and any range.
        """
        spec = {"search": search, "order_by": order_by, "limit": limit, "cursor": cursor}
        return await _ask(services, app_id, "companies", {"from": f"-{days}d", **spec})

    @get("/company")
    async def show_company(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        id_: IdInUrl,
        at: FromQuery[str] = "",
    ) -> CompanyDetail:
        """Show one company: profile, first and last seen, lifecycle.

        As all of it was `at` a moment, if one is given.
        """
        return await _company(services, app_id, id_, at)

    @get("/companies/{company_id:str}")
    async def show_company_of_path(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        company_id: FromPath[str],
        at: FromQuery[str] = "",
    ) -> CompanyDetail:
        """Show what `GET …/company?id=` shows."""
        return await _company(services, app_id, company_id, at)

    @get("/company/timeline")
    async def show_company_timeline(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        id_: IdInUrl,
        days: FromQuery[int] = 90,
        kind: FromQuery[str] = "",
        limit: FromQuery[int] = 50,
        cursor: FromQuery[str] = "",
    ) -> Response[bytes]:
        """Show what the people of a company did and how its profile changed, newest first.

        A `kind` is `call`, `action`, `profile` or `link`. The query `company_timeline` is the same
        with filters and any range.
        """
        page = {"limit": limit, "cursor": cursor}
        return await _timeline(services, app_id, "company", id_, days, kind, page)

    @get("/companies/{company_id:str}/timeline")
    async def show_company_timeline_of_path(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        company_id: FromPath[str],
        days: FromQuery[int] = 90,
        kind: FromQuery[str] = "",
        limit: FromQuery[int] = 50,
        cursor: FromQuery[str] = "",
    ) -> Response[bytes]:
        """Show what `GET …/company/timeline?id=` shows."""
        page = {"limit": limit, "cursor": cursor}
        return await _timeline(services, app_id, "company", company_id, days, kind, page)

    @get("/subscription")
    async def show_subscription(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        id_: IdInUrl,
        at: FromQuery[str] = "",
    ) -> Subscription:
        """Show one subscription as it was last described, `at` a moment if one is given."""
        return await _subscription(services, app_id, id_, at)

    @get("/subscriptions/{subscription_id:str}")
    async def show_subscription_of_path(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        subscription_id: FromPath[str],
        at: FromQuery[str] = "",
    ) -> Subscription:
        """Show what `GET …/subscription?id=` shows."""
        return await _subscription(services, app_id, subscription_id, at)


async def _user(services: Services, app_id: str, user_id: str, at: str) -> UserDetail:
    app, profiles = await services.configdb.run(get_app, app_id), services.profiles
    moment = _read_moment(at) if at else None
    found = (
        await profiles.people_as_of(app.id, [user_id], moment)
        if moment
        else await profiles.people(app.id, [user_id])
    )
    user = _only(found, user_id, "user", at)
    companies = await profiles.company_history(app.id, user_id)
    return UserDetail(
        user=user,
        ttfhw_s=user.ttfhw_s,
        companies=[link for link in companies if moment is None or link.since <= moment],
        links=await profiles.links(app.id, user_id),
    )


def _read_moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InvalidInputError("A moment is written like 2026-11-22T09:00:00Z.", field="at")
    return at


async def _timeline(
    services: Services,
    app_id: str,
    whose: str,
    id_: str,
    days: int,
    kind: str,
    page: Mapping[str, object],
) -> Response[bytes]:
    kinds = [kind] if kind else []
    spec = {f"{whose}_id": id_, "from": f"-{days}d", "kinds": kinds, **page}
    return await _ask(services, app_id, f"{whose}_timeline", spec)


async def _ask(
    services: Services, app_id: str, kind: str, spec: dict[str, object]
) -> Response[bytes]:
    app = await services.configdb.run(get_app, app_id)
    scope = QueryScope(app.id, app.timezone)
    body = msgspec.json.encode(spec)
    found = await answer(services.store, scope, kind, body, services.clock)
    return Response(msgspec.json.encode(found), media_type="application/json")


async def _company(services: Services, app_id: str, company_id: str, at: str) -> CompanyDetail:
    app, profiles = await services.configdb.run(get_app, app_id), services.profiles
    found = (
        await profiles.companies_as_of(app.id, [company_id], _read_moment(at))
        if at
        else await profiles.companies(app.id, [company_id])
    )
    company = _only(found, company_id, "company", at)
    return CompanyDetail(company=company, ttfhw_s=company.ttfhw_s)


async def _subscription(
    services: Services, app_id: str, subscription_id: str, at: str
) -> Subscription:
    app, profiles = await services.configdb.run(get_app, app_id), services.profiles
    found = (
        await profiles.subscriptions_as_of(app.id, [subscription_id], _read_moment(at))
        if at
        else await profiles.subscriptions(app.id, [subscription_id])
    )
    return _only(found, subscription_id, "subscription", at)


def _only(found: Mapping[str, Noun], id_: str, what: str, at: str) -> Noun:
    if id_ not in found:
        then = f" at {at}" if at else ""
        raise NotFoundError(f"Nothing is known of a {what} {id_!r}{then}.", field=f"{what}_id")
    return found[id_]
