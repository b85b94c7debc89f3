"""Show what one warehouse does, and steer it.

In: an id, what was pressed. Out: its page; what was refused is said on the same page.
"""

from collections.abc import Awaitable, Callable, Mapping

from litestar import Controller, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError, NotFoundError
from headwater.warehouse import Warehouses
from headwater.web.auth import needs
from headwater.web.figures import show_count, show_moment
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services
from headwater.web.warehouses.telling import find_title, tell_health, tell_settings, tell_sync

_SHOWN = 20
Act = Callable[[Warehouses, str, FormMultiDict], Awaitable[object]]
_NOTICES = {
    "added": "Added: it let us in. The first sync begins by itself.",
    "saved": "Saved.",
    "sync": "The sync is over: the history below says how it went.",
    "backfill": "Begun: it goes on with the next sync, within seconds.",
    "pause": "Paused.",
    "resume": "Resumed.",
    "schedule": "The schedule is saved.",
    "exclude": "Saved. What is there already stays as it is.",
}
"""What to say afterwards; the address holds the name only, so nobody can put words into it."""


async def _choose(warehouses: Warehouses, id_: str, form: FormMultiDict) -> object:
    return await warehouses.choose(id_, str(form.get("excluded", "")).splitlines())


_SENDING: Mapping[str, Act] = {
    "sync": lambda warehouses, id_, _: warehouses.sync(id_),
    "backfill": lambda warehouses, id_, _: warehouses.backfill(id_),
}
_STEERING: Mapping[str, Act] = {
    "pause": lambda warehouses, id_, _: warehouses.change(id_, enabled=False),
    "resume": lambda warehouses, id_, _: warehouses.change(id_, enabled=True),
    "schedule": lambda warehouses, id_, form: warehouses.change(
        id_, schedule=str(form.get("schedule", ""))
    ),
    "exclude": _choose,
}


class WarehouseController(Controller):
    """`/warehouses/{id}` and what can be done there."""

    path = "/warehouses/{warehouse_id:str}"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        warehouse_id: FromPath[str],
        said: FromQuery[str] = "",
    ) -> Template:
        """Show its state, history and what is left out."""
        return await _page(request, services, warehouse_id, notice=_NOTICES.get(said, ""))

    @get("/tables")
    async def tables(
        self, request: AnyRequest, services: NamedDependency[Services], warehouse_id: FromPath[str]
    ) -> Template:
        """Ask the warehouse for its tables and their columns."""
        warehouse = await services.warehouses.get(warehouse_id)
        found, error = {}, None
        try:
            found = await services.warehouses.tables(warehouse_id)
        except HeadwaterError as err:
            error = err
        return page(
            request,
            "warehouses/tables.html",
            status=int(error.status) if error else 200,
            warehouse=warehouse,
            schemas=found,
            error=f"{error.message} {error.hint}".strip() if error else "",
        )

    @post("/do/{act:str}", guards=[needs("write")])
    async def send(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        warehouse_id: FromPath[str],
        act: FromPath[str],
    ) -> Template | Redirect:
        """Do what loads: sync, backfill."""
        return await _act(request, services, warehouse_id, _SENDING, act)

    @post("/set/{act:str}", guards=[needs("admin")])
    async def steer(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        warehouse_id: FromPath[str],
        act: FromPath[str],
    ) -> Template | Redirect:
        """Do what changes it: pause, resume, schedule, what is left out."""
        return await _act(request, services, warehouse_id, _STEERING, act)

    @post("/remove", guards=[needs("admin")])
    async def remove(
        self, services: NamedDependency[Services], warehouse_id: FromPath[str]
    ) -> Redirect:
        """Forget it."""
        await services.warehouses.remove(warehouse_id)
        return see_other("/warehouses?said=removed")


async def _act(
    request: AnyRequest, services: Services, id_: str, acts: Mapping[str, Act], name: str
) -> Template | Redirect:
    if name not in acts:
        raise NotFoundError("There is nothing of this name to do.")
    form = await request.form()
    try:
        await acts[name](services.warehouses, id_, form)
    except HeadwaterError as err:
        typed = {key: str(value) for key, value in form.items()}
        return await _page(request, services, id_, failed=name, err=err, typed=typed)
    return see_other(f"/warehouses/{id_}?said={name}")


async def _page(
    request: AnyRequest,
    services: Services,
    id_: str,
    *,
    notice: str = "",
    failed: str = "",
    err: HeadwaterError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Template:
    warehouse = await services.warehouses.get(id_)
    syncs = await services.warehouses.history(id_, _SHOWN)
    rereads = await services.warehouses.rereads(id_)
    days = await services.warehouses.rows_by_day(id_)
    oldest = await services.warehouses.oldest()
    standing = await services.warehouses.standing(id_, services.settings.eventlog.keep_consumed_s)
    given = typed or {}
    return page(
        request,
        "warehouses/one.html",
        status=int(err.status) if err else 200,
        warehouse=warehouse,
        title=find_title(warehouse.type),
        health=tell_health(standing),
        settings=tell_settings(warehouse),
        syncs=[tell_sync(sync) for sync in syncs],
        rereads=rereads,
        days=[(day, show_count(rows)) for day, rows in reversed(days.items())],
        oldest=show_moment(oldest, "UTC") if oldest else "",
        schedule=given.get("schedule", warehouse.schedule),
        excluded=given.get("excluded", "\n".join(warehouse.excluded)),
        notice=notice,
        failed=failed,
        error=f"{err.message} {err.hint}".strip() if err else "",
        may_send="write" in request.user.scopes,
        may_steer="admin" in request.user.scopes,
    )
