"""Show one source: its keys and how to use them, and the messages that come in.

In: a slug, forms. Out: pages. Write keys are shown to those who may write: clients carry them in
the open. The debugger is a look at the end of the log, not the archive.
"""

from collections.abc import Callable, Mapping
from functools import partial

import msgspec
import sqlalchemy as sa
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from headwater.base.errors import HeadwaterError, NotFoundError
from headwater.destinations import MESSAGE_TYPES, list_destinations, recent_messages
from headwater.model import Message
from headwater.sources import (
    Source,
    find_type,
    get_source,
    list_refused,
    rename_source,
    revoke_old_write_key,
    rotate_write_key,
    set_source_enabled,
)
from headwater.web.auth import needs
from headwater.web.pages import AnyRequest, page, see_other
from headwater.web.services import Services
from headwater.web.sources.listing import figures_of_today, may_add

_SHOWN = 50
_NOTICES = {
    "added": "Added. It receives from now on.",
    "renamed": "Renamed. The slug stays, since addresses and tables hold it.",
    "rotated": "There is a new write key. The one before goes on working until you stop it.",
    "revoked": "The older write key works no more.",
    "enabled": "Enabled: it receives.",
    "disabled": "Disabled: what clients send is refused.",
}


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the debugger."""

    message: Message
    title: str
    """The event's or page's name, or whom it is about."""
    raw: str


class SourceController(Controller):
    """`/sources/{slug}`."""

    path = "/sources/{slug:str}"
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
        """Show its keys, how a client is pointed here, and who gets its messages."""
        source = await services.configdb.run(get_source, slug)
        return await _overview(request, services, source, notice=_NOTICES.get(said, ""))

    @get("/debugger")
    async def debugger(
        self,
        request: AnyRequest,
        services: NamedDependency[Services],
        slug: FromPath[str],
        kind: FromQuery[str] = "",
        search: FromQuery[str] = "",
    ) -> Template:
        """Show the newest messages; asked again every few seconds, only the list."""
        source = await services.configdb.run(get_source, slug)
        found = await recent_messages(
            services.log,
            services.forgotten,
            source.id,
            type_=kind,
            holding=search.strip(),
            most=_SHOWN,
        )
        panel = "hx-request" in request.headers
        return page(
            request,
            "sources/received.html" if panel else "sources/debugger.html",
            source=source,
            received=[_to_received(message) for message in found],
            types=MESSAGE_TYPES,
            kind=kind,
            search=search,
            most=_SHOWN,
        )

    @post("/rename", guards=[needs("admin")])
    async def rename(
        self, request: AnyRequest, services: NamedDependency[Services], slug: FromPath[str]
    ) -> Template | Redirect:
        """Give it another name."""
        name = str((await request.form()).get("name", ""))
        try:
            await services.configdb.run(rename_source, slug, name)
        except HeadwaterError as err:
            source = await services.configdb.run(get_source, slug)
            return await _overview(request, services, source, error=err.message, name=name)
        return see_other(f"/sources/{slug}?said=renamed")

    @post("/do/{act:str}", guards=[needs("admin")])
    async def do(
        self, services: NamedDependency[Services], slug: FromPath[str], act: FromPath[str]
    ) -> Redirect:
        """Enable, disable, make a new key, or stop the older one."""
        acts: Mapping[str, tuple[str, Callable[[sa.Connection], Source]]] = {
            "enable": ("enabled", partial(set_source_enabled, slug_or_id=slug, enabled=True)),
            "disable": ("disabled", partial(set_source_enabled, slug_or_id=slug, enabled=False)),
            "rotate": (
                "rotated",
                partial(rotate_write_key, clock=services.clock, slug_or_id=slug),
            ),
            "revoke": (
                "revoked",
                partial(revoke_old_write_key, clock=services.clock, slug_or_id=slug),
            ),
        }
        if act not in acts:
            raise NotFoundError(f"There is nothing to do by the name of {act!r}.")
        said, change = acts[act]
        await services.configdb.run(change)
        return see_other(f"/sources/{slug}?said={said}")


async def _overview(
    request: AnyRequest,
    services: Services,
    source: Source,
    *,
    notice: str = "",
    error: str = "",
    name: str | None = None,
) -> Template:
    found = await services.configdb.run(list_destinations)
    url = services.settings.server.public_url or str(request.base_url).rstrip("/")
    declared = find_type(source.type)
    shows_keys = "write" in request.user.scopes
    return page(
        request,
        "sources/source.html",
        status=400 if error else 200,
        source=source,
        declared=declared,
        setup=declared.fill_in(url, source.write_key if shows_keys else "YOUR_WRITE_KEY"),
        keys=source.write_keys if shows_keys else (),
        destinations=[one for one in found if one.source_id == source.id],
        received=await figures_of_today(services, source.id),
        refused=await services.configdb.look(list_refused, source.id),
        notice=notice,
        error=error,
        nickname=source.name if name is None else name,
        may_change=may_add(request),
    )


def _to_received(message: Message) -> Received:
    body = message.body
    title = body.get("event") or body.get("name") or message.user_id or message.anonymous_id
    raw = msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
    return Received(message=message, title=str(title), raw=raw)
