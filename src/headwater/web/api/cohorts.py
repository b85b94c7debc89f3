"""Manage cohorts by HTTP: conditions on users under a name, and who meets them.

In: JSON. Out: JSON. A cohort is named by its id; by its name, where that has no slash. Whoever
changes one may change whom an extension sends, so changing needs what steering an extension needs.
"""

from datetime import datetime

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import InvalidInputError
from headwater.extensions import (
    Cohort,
    Condition,
    add_cohort,
    change_cohort,
    delete_cohort,
    get_cohort,
    list_cohorts,
)
from headwater.profiles import Person
from headwater.web.api.extensions import find_app
from headwater.web.api.paging import MOST_ITEMS, Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services


class NewCohort(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a cohort is to be."""

    name: str
    conditions: list[Condition]
    """All must hold."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One user who is in a cohort."""

    user_id: str
    name: str
    email: str
    company_id: str
    last_seen_at: datetime | None


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many are in it now."""

    members: int


class CohortsController(Controller):
    """`/api/v1/apps/{app_id}/cohorts`."""

    path = "/api/v1/apps/{app_id:str}/cohorts"
    tags = ("Users",)

    @get("/", guards=[needs("read")])
    async def list_them(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[Cohort]:
        """List the cohorts by name, each with the extensions that send it."""
        app = await find_app(services, app_id)
        found = await services.configdb.run(list_cohorts, app.id)
        return page_of(found, lambda one: one.id, limit, cursor)

    @post("/", guards=[needs("admin")])
    async def add(
        self, services: NamedDependency[Services], app_id: FromPath[str], data: JSONBody[NewCohort]
    ) -> Cohort:
        """Keep conditions under a name."""
        app = await find_app(services, app_id)
        return await services.configdb.run(
            add_cohort, services.clock, app.id, data.name, data.conditions
        )

    @get("/{cohort:str}", guards=[needs("read")])
    async def show(
        self, services: NamedDependency[Services], app_id: FromPath[str], cohort: FromPath[str]
    ) -> Cohort:
        """Show one cohort."""
        app = await find_app(services, app_id)
        return await services.configdb.run(get_cohort, app.id, cohort)

    @put("/{cohort:str}", guards=[needs("admin")])
    async def change(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        cohort: FromPath[str],
        data: JSONBody[NewCohort],
    ) -> Cohort:
        """Give it another name or other conditions; who sends it looks at everybody once more."""
        app = await find_app(services, app_id)
        return await services.configdb.run(
            change_cohort, services.clock, app.id, cohort, data.name, data.conditions
        )

    @delete("/{cohort:str}", guards=[needs("admin")])
    async def remove(
        self, services: NamedDependency[Services], app_id: FromPath[str], cohort: FromPath[str]
    ) -> None:
        """Forget it; refused while an extension sends it."""
        app = await find_app(services, app_id)
        await services.configdb.run(delete_cohort, app.id, cohort)

    @get("/{cohort:str}/members", guards=[needs("read")])
    async def members(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        cohort: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[Member]:
        """List who is in it now, by id.

        A page may be shorter than its limit and have a next one: very many users are looked at in
        several goes.
        """
        if not 1 <= limit <= MOST_ITEMS:
            raise InvalidInputError(f"A limit is 1 to {MOST_ITEMS}.", field="limit")
        app = await find_app(services, app_id)
        found = await services.extensions.members(app, cohort, limit=limit, above=cursor)
        return Page(items=[_to_member(one) for one in found.users], next_cursor=found.next_cursor)

    @get("/{cohort:str}/count", guards=[needs("read")])
    async def count(
        self, services: NamedDependency[Services], app_id: FromPath[str], cohort: FromPath[str]
    ) -> Count:
        """Count who is in it now: looks at every user of the app."""
        app = await find_app(services, app_id)
        found = await services.configdb.run(get_cohort, app.id, cohort)
        return Count(members=await services.extensions.count(app, found.conditions))


def _to_member(of: Person) -> Member:
    return Member(
        user_id=of.id,
        name=of.name,
        email=of.email,
        company_id=of.company_id,
        last_seen_at=of.last_seen_at,
    )
