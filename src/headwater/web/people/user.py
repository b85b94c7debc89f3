"""Show one user: who it is, a day in numbers, and everything that happened, newest first.

In: an app, a user's id, a kind and a cursor of the timeline. Out: one page, from profiles and the
timeline.
"""

import asyncio

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.base.errors import NotFoundError
from headwater.profiles import day_window, last_complete_day
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.pages import AnyRequest, page
from headwater.web.people.facts import Fact, facts_of_day, facts_of_user, milestones, show_doc
from headwater.web.people.links import IdInUrl
from headwater.web.people.timeline import read_timeline
from headwater.web.services import Services
from headwater.workspace import App


class UserController(Controller):
    """`/users/one`."""

    path = "/users/one"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        id_: IdInUrl,
        app: FromQuery[str] = "",
        kind: FromQuery[str] = "",
        cursor: FromQuery[str] = "",
    ) -> Template:
        """Show one user, and one page of the timeline."""
        _, chosen = await choose_app(services, app)
        found = await services.profiles.people(chosen.id, [id_])
        if id_ not in found:
            raise NotFoundError(f"Nothing is known of a user {id_!r}.", field="id")
        user = found[id_]
        companies, timeline, (day, numbers) = await asyncio.gather(
            services.profiles.company_history(chosen.id, id_),
            read_timeline(services, chosen, "user", id_, kind, cursor),
            _read_day(services, chosen, id_),
        )
        return page(
            request,
            "people/user.html",
            app=chosen,
            user=user,
            facts=facts_of_user(user, companies, chosen),
            moments=milestones(user, chosen),
            day=day,
            numbers=numbers,
            doc=show_doc(user.doc),
            timeline=timeline,
        )


async def _read_day(services: Services, app: App, user_id: str) -> tuple[str, list[Fact]]:
    """Return the last complete day and its numbers; none when the user did not call on it."""
    day = last_complete_day(services.clock.now(), app.timezone)
    start, end = day_window(app.timezone, day)
    found = await services.profiles.rollups(app.id, app.timezone, [user_id], start, end, day=day)
    rollup = found.get(user_id)
    return day, facts_of_day(rollup) if rollup is not None and rollup.total_calls else []
