"""Show which names a source sends, and let people say what is not let in.

In: a slug, forms. Out: pages. Names only: what they hold is in the debugger.
"""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError, NotFoundError
from headwater.sources import (
    MOST_NAMES,
    add_rule,
    get_source,
    read_rule,
    read_schema,
    remove_rule,
)
from headwater.web.auth import needs
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services
from headwater.web.sources.listing import may_add

_NOTICES = {
    "blocked": "Kept out from now on; what came before stays.",
    "let-in": "Let in again from now on.",
}


class SourceSchemaController(Controller):
    """`/sources/{slug}/schema`."""

    path = "/sources/{slug:str}/schema"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        slug: FromPath[str],
        said: FromQuery[str] = "",
    ) -> Template:
        """Show events, their properties, and traits, with how often they came."""
        return await _show(request, services, slug, notice=_NOTICES.get(said, ""))

    @post("/{act:str}", guards=[needs("admin")])
    async def change(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        slug: FromPath[str],
        act: FromPath[str],
    ) -> Template | Redirect:
        """Keep something out, or let it in again."""
        if act not in {"block", "let-in"}:
            raise NotFoundError(f"There is nothing to do by the name of {act!r}.")
        form = await request.form()
        fields = [str(form.get(name, "")) for name in ("type", "event", "name")]
        source = await services.configdb.look(get_source, slug)
        try:
            rule = read_rule(*fields)
            if act == "block":
                await services.configdb.run(add_rule, services.clock, source.id, rule)
            else:
                await services.configdb.run(remove_rule, source.id, rule)
        except HeadwaterError as err:
            return await _show(request, services, slug, error=err.message)
        return see_other(f"/sources/{slug}/schema?said={'blocked' if act == 'block' else act}")


async def _show(
    request: AnyRequest, services: Services, slug: str, *, notice: str = "", error: str = ""
) -> Template:
    source = await services.configdb.look(get_source, slug)
    return page(
        request,
        "sources/schema.html",
        status=400 if error else 200,
        source=source,
        schema=await services.configdb.look(read_schema, source.id),
        most=MOST_NAMES,
        notice=notice,
        error=error,
        may_change=may_add(request),
    )
