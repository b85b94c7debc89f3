"""Show by HTTP who a user or company is, and what a user did.

In: ids. Out: profiles with what calls showed, companies from when, links with who said them; the
timeline, which is the query `user_timeline`.
"""

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Response

from headwater.analytics import QueryScope, answer
from headwater.base.errors import NotFoundError
from headwater.profiles import Company, CompanyLink, Person, Subscription, UserLink
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import get_app


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
    """Users and companies of one app."""

    path = "/api/v1/apps/{app_id:str}"
    tags = ("People",)

    @get("/users/{user_id:str}", guards=[needs("read")])
    async def show_user(
        self, services: NamedDependency[Services], app_id: FromPath[str], user_id: FromPath[str]
    ) -> UserDetail:
        """Show one user: profile, first and last seen, campaigns, companies, links."""
        app = await services.configdb.run(get_app, app_id)
        found = await services.profiles.people(app.id, [user_id])
        if user_id not in found:
            raise NotFoundError(f"Nothing is known of a user {user_id!r}.", field="user_id")
        person = found[user_id]
        return UserDetail(
            user=person,
            ttfhw_s=person.ttfhw_s,
            companies=await services.profiles.company_history(app.id, user_id),
            links=await services.profiles.links(app.id, user_id),
        )

    @get("/users/{user_id:str}/timeline", guards=[needs("read")])
    async def show_timeline(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        user_id: FromPath[str],
        days: FromQuery[int] = 90,
        limit: FromQuery[int] = 50,
        cursor: FromQuery[str] = "",
    ) -> Response[bytes]:
        """Show what one user did and how the profile changed in the last days, newest first.

        The query `user_timeline` is the same with filters and any range.
        """
        app = await services.configdb.run(get_app, app_id)
        spec = {"user_id": user_id, "from": f"-{days}d", "limit": limit, "cursor": cursor}
        found = await answer(
            services.store,
            QueryScope(app.id, app.timezone),
            "user_timeline",
            msgspec.json.encode(spec),
            services.clock,
        )
        return Response(msgspec.json.encode(found), media_type="application/json")

    @get("/companies/{company_id:str}", guards=[needs("read")])
    async def show_company(
        self, services: NamedDependency[Services], app_id: FromPath[str], company_id: FromPath[str]
    ) -> CompanyDetail:
        """Show one company: profile, first and last seen, lifecycle."""
        app = await services.configdb.run(get_app, app_id)
        found = await services.profiles.companies(app.id, [company_id])
        if company_id not in found:
            raise NotFoundError(
                f"Nothing is known of a company {company_id!r}.", field="company_id"
            )
        company = found[company_id]
        return CompanyDetail(company=company, ttfhw_s=company.ttfhw_s)

    @get("/subscriptions/{subscription_id:str}", guards=[needs("read")])
    async def show_subscription(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        subscription_id: FromPath[str],
    ) -> Subscription:
        """Show one subscription as it was last described."""
        app = await services.configdb.run(get_app, app_id)
        found = await services.profiles.subscriptions(app.id, [subscription_id])
        if subscription_id not in found:
            raise NotFoundError(
                f"Nothing is known of a subscription {subscription_id!r}.", field="subscription_id"
            )
        return found[subscription_id]
