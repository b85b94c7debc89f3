"""Show one company: what it is, its people who called lately, and everything that they did.

In: an app, a company's id, a kind and a cursor of the timeline. Out: one page, from profiles, the
query `users` and the timeline.
"""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.base.errors import NotFoundError
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.figures import DAYS
from headwater.web.pages import AnyRequest, page
from headwater.web.people.facts import facts_of_company, milestones, show_doc
from headwater.web.people.links import IdInUrl
from headwater.web.people.timeline import read_timeline
from headwater.web.people.users import USERS_A_PAGE, list_lines
from headwater.web.services import Services


class CompanyController(Controller):
    """`/companies/one`."""

    path = "/companies/one"
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
        """Show one company, and one page of the timeline."""
        _, chosen = await choose_app(services, app)
        found = await services.profiles.companies(chosen.id, [id_])
        if id_ not in found:
            raise NotFoundError(f"Nothing is known of a company {id_!r}.", field="id")
        company = found[id_]
        of_company = {"field": "company_id", "op": "eq", "value": id_}
        users, more = await list_lines(services, chosen, order="-calls", filters=of_company)
        return page(
            request,
            "people/company.html",
            app=chosen,
            days=DAYS,
            company=company,
            facts=facts_of_company(company),
            moments=milestones(company, chosen),
            doc=show_doc(company.doc),
            users=users,
            shown=USERS_A_PAGE if more else 0,
            timeline=await read_timeline(services, chosen, "company", id_, kind, cursor),
        )
