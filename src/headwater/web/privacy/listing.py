"""Show all regulations, and ask for one.

In: what was filled in. Out: the list with its form; a new regulation's page, or the form again with
the fault beside its field.
"""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError
from headwater.privacy import KINDS, list_regulations
from headwater.sources import MOST_AT_ONCE
from headwater.web.auth import needs
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.privacy.telling import TITLES, tell_line
from headwater.web.services import Services

_SHOWN = 50


class RegulationListController(Controller):
    """`/privacy`."""

    path = "/privacy"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], after: FromQuery[str] = ""
    ) -> Template:
        """Show regulations, the newest first."""
        return await _page(request, services, after)

    @post(guards=[needs("admin")])
    async def ask(
        self, request: AnyRequest, services: NamedDependency[Services]
    ) -> Template | Redirect:
        """Begin what was filled in."""
        form = await request.form()
        kind, text = str(form.get("kind", "")), str(form.get("user_ids", ""))
        user_ids = [line.strip() for line in text.splitlines() if line.strip()]
        try:
            asked = await services.regulations.begin(kind, user_ids)
        except HeadwaterError as err:
            return await _page(request, services, "", kind, text, err)
        return see_other(f"/privacy/{asked.id}")


async def _page(
    request: AnyRequest,
    services: Services,
    after: str,
    kind: str = "",
    user_ids: str = "",
    err: HeadwaterError | None = None,
) -> Template:
    found = await services.configdb.look(list_regulations, _SHOWN + 1, after)
    return page(
        request,
        "privacy/list.html",
        status=int(err.status) if err else 200,
        lines=[tell_line(one) for one in found[:_SHOWN]],
        next_after=found[_SHOWN - 1].id if len(found) > _SHOWN else "",
        kinds=[(name, TITLES[name], text) for name, text in KINDS.items()],
        kind=kind or next(iter(KINDS)),
        user_ids=user_ids,
        most=MOST_AT_ONCE,
        failed=err.field if err else "",
        error=f"{err.message} {err.hint}".strip() if err else "",
        may_ask="admin" in request.user.scopes,
    )
