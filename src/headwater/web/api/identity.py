"""Rule by HTTP that a link was wrong, or was right after all, and see who said what.

In: a session key or browser, a user, a reason. Out: the ruling, which goes through the log like
everything else: calls and profiles come apart, or together, some seconds later.
"""

from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import NotFoundError
from headwater.base.ids import new_id
from headwater.eventlog import Stream
from headwater.model import KeyKind, LinkRuling, Verdict
from headwater.profiles import UserLink
from headwater.web.auth import Actor, needs
from headwater.web.services import Services
from headwater.workspace import get_app

MOST_LINKS = 1_000


class LinkName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/apps/{app_id}/identity/unlink` and `/link`."""

    user_id: str
    kind: KeyKind
    """`session` or `anonymous`."""
    key: str
    """The session key, as a user's links show it, or the anonymous id."""
    reason: str = ""


class RulingMade(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: it is durable, and in force once the reader `identity` has passed the offset."""

    ruling_id: str
    verdict: Verdict
    log_offset: int


class UserLinks(msgspec.Struct, frozen=True, kw_only=True):
    """The links of one user, also those that were ruled wrong."""

    items: list[UserLink]


class IdentityController(Controller):
    """`/api/v1/apps/{app_id}/identity`."""

    path = "/api/v1/apps/{app_id:str}/identity"
    tags = ("People",)

    @get("/links", guards=[needs("read")])
    async def links(
        self, services: NamedDependency[Services], app_id: FromPath[str], user_id: FromQuery[str]
    ) -> UserLinks:
        """List the session keys and browsers of a user, who said each, and every ruling."""
        app = await services.configdb.run(get_app, app_id)
        found = await services.profiles.links(app.id, user_id, limit=MOST_LINKS)
        return UserLinks(items=found)

    @post("/unlink", guards=[needs("admin")], status_code=202)
    async def unlink(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[LinkName],
        request: Request[Actor, Any, Any],
    ) -> RulingMade:
        """Rule that a session key or browser is not this user's.

        What the link gave the user goes back to where it came from: calls, actions and the
        visitor's profile. What calls say themselves stays. Evidence that comes later changes
        nothing, until `link` takes the ruling back.
        """
        return await _rule(services, app_id, data, "apart", request.user.name)

    @post("/link", guards=[needs("admin")], status_code=202)
    async def link(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[LinkName],
        request: Request[Actor, Any, Any],
    ) -> RulingMade:
        """Take back that a link was wrong: the evidence for it counts again."""
        return await _rule(services, app_id, data, "joined", request.user.name)


async def _rule(
    services: Services, app_id: str, name: LinkName, verdict: Verdict, actor: str
) -> RulingMade:
    app = await services.configdb.run(get_app, app_id)
    if not await services.profiles.has_link(app.id, name.kind, name.key, name.user_id):
        raise NotFoundError(
            f"Nothing links this key to the user {name.user_id!r}.",
            field="key",
            hint="`headwater identity links` shows a user's links.",
        )
    ruling = LinkRuling(
        app_id=app.id,
        ruling_id=new_id("ruling"),
        kind=name.kind,
        key=name.key,
        user_id=name.user_id,
        verdict=verdict,
        said_at=services.clock.now(),
        said_by=actor,
        reason=name.reason,
    )
    offset = await services.log.append(Stream.CALLS, msgspec.json.encode(ruling))
    return RulingMade(ruling_id=ruling.ruling_id, verdict=verdict, log_offset=offset)
