"""Show an app's cohorts, and make new ones.

In: an app; a name and conditions, as typed. Out: one page. What cannot be kept is said beside what
was typed.
"""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.extensions import add_cohort, list_cohorts
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.conditions import read_conditions, show_conditions
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.people.cohort_form import CohortForm
from headwater.web.people.links import cohort_url
from headwater.web.services import Services


class CohortsController(Controller):
    """`/cohorts`."""

    path = "/cohorts"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        app: FromQuery[str] = "",
    ) -> Template:
        """Show the cohorts by name."""
        return await _page(request, services, app, CohortForm())

    @post(guards=[needs("admin")])
    async def add(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        app: FromQuery[str] = "",
    ) -> Template | Redirect:
        """Keep a new one, and show who is in it."""
        _, chosen = await choose_app(services, app)
        form = CohortForm.typed(await request.form())
        try:
            conditions = read_conditions(form.conditions)
            made = await services.configdb.run(
                add_cohort, services.clock, chosen.id, form.name, conditions
            )
        except HeadwaterError as err:
            return await _page(request, services, app, form.refused(err))
        return see_other(cohort_url(chosen, made.id))


async def _page(request: AnyRequest, services: Services, app_id: str, form: CohortForm) -> Template:
    apps, app = await choose_app(services, app_id)
    known = await services.configdb.run(list_cohorts, app.id)
    return page(
        request,
        "people/cohorts.html",
        status=form.status,
        apps=apps,
        app=app,
        form=form,
        cohorts=[
            {
                "url": cohort_url(app, one.id),
                "name": one.name,
                "conditions": show_conditions(one.conditions),
                "used_by": one.used_by,
            }
            for one in known
        ],
    )
