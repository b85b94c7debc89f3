"""Show one cohort: its conditions, who sends it, how many are in it and who.

In: an app, a cohort's id, a cursor; other conditions, as typed. Out: one page. Counting looks at
every user, so the page fetches the number after it is shown.
"""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.extensions import GALLERY, Cohort, change_cohort, delete_cohort, get_cohort
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.conditions import read_conditions
from headwater.web.extensions.place import may
from headwater.web.figures import DAYS, show_count
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.people.cohort_form import CohortForm
from headwater.web.people.links import IdInUrl, cohort_url, list_url
from headwater.web.people.users import USERS_A_PAGE, lines_of
from headwater.web.services import Services
from headwater.workspace import App

_TITLES = {entry.type: entry.title for entry in GALLERY}


class CohortController(Controller):
    """`/cohorts/one`."""

    path = "/cohorts/one"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        id_: IdInUrl,
        app: FromQuery[str] = "",
        cursor: FromQuery[str] = "",
        said: FromQuery[str] = "",
    ) -> Template:
        """Show one cohort, and one page of its members."""
        chosen, cohort = await _find(services, app, id_)
        notice = "Saved." if said == "saved" else ""
        form = CohortForm.of(cohort)
        return await _page(request, services, chosen, cohort, form, cursor=cursor, notice=notice)

    @get("/count")
    async def count(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        id_: IdInUrl,
        app: FromQuery[str] = "",
    ) -> Template:
        """Show how many are in it."""
        chosen, cohort = await _find(services, app, id_)
        count = await services.extensions.count(chosen, cohort.conditions)
        return page(request, "people/cohort_count.html", one=count == 1, count=show_count(count))

    @post(guards=[needs("admin")])
    async def change(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        id_: IdInUrl,
        app: FromQuery[str] = "",
    ) -> Template | Redirect:
        """Save another name or other conditions."""
        chosen, cohort = await _find(services, app, id_)
        form = CohortForm.typed(await request.form())
        try:
            conditions = read_conditions(form.conditions)
            await services.configdb.run(
                change_cohort, services.clock, chosen.id, cohort.id, form.name, conditions
            )
        except HeadwaterError as err:
            return await _page(request, services, chosen, cohort, form.refused(err))
        return see_other(cohort_url(chosen, cohort.id, said="saved"))

    @post("/delete", guards=[needs("admin")])
    async def remove(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        id_: IdInUrl,
        app: FromQuery[str] = "",
    ) -> Template | Redirect:
        """Forget it, unless an extension sends it."""
        chosen, cohort = await _find(services, app, id_)
        try:
            await services.configdb.run(delete_cohort, chosen.id, cohort.id)
        except HeadwaterError as err:
            form, refusal = CohortForm.of(cohort), f"{err.message} {err.hint}".strip()
            return await _page(request, services, chosen, cohort, form, refusal=refusal)
        return see_other(list_url("/cohorts", app=chosen.id))


async def _find(services: Services, app_id: str, cohort: str) -> tuple[App, Cohort]:
    _, app = await choose_app(services, app_id)
    return app, await services.configdb.run(get_cohort, app.id, cohort)


async def _page(
    request: AnyRequest,
    services: Services,
    app: App,
    cohort: Cohort,
    form: CohortForm,
    *,
    cursor: str = "",
    notice: str = "",
    refusal: str = "",
) -> Template:
    found = await services.extensions.members(app, cohort.id, limit=USERS_A_PAGE, above=cursor)
    return page(
        request,
        "people/cohort.html",
        status=409 if refusal else form.status,
        app=app,
        cohort=cohort,
        form=form,
        notice=notice,
        refusal=refusal,
        days=DAYS,
        users=await lines_of(services, app, found.users),
        url=cohort_url(app, cohort.id),
        count_url=cohort_url(app, cohort.id, page="/count"),
        delete_url=cohort_url(app, cohort.id, page="/delete"),
        first_url=cohort_url(app, cohort.id) if cursor else "",
        next_url=cohort_url(app, cohort.id, cursor=found.next_cursor) if found.next_cursor else "",
        senders=[
            (_TITLES[type_], list_url(f"/extensions/{type_}", app=app.id))
            for type_ in cohort.used_by
        ],
        may_steer=may(request, "admin"),
    )
