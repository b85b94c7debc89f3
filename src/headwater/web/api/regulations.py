"""Ask by HTTP to suppress or delete users everywhere, and see what became of it.

In: JSON. Out: JSON. Who the users are is never told again: lists show counts and fingerprints.
"""

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.privacy import Regulation, get_regulation, list_regulations
from headwater.sources import SuppressedId, list_suppressed_ids
from headwater.web.api.paging import Page, check_limit, page_of
from headwater.web.auth import needs
from headwater.web.services import Services


class NewRegulation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/regulations`."""

    kind: str
    """suppress, unsuppress, suppress_with_delete or delete_only."""
    user_ids: list[str]
    """5,000 at most."""


class RegulationsController(Controller):
    """`/api/v1/regulations`."""

    path = "/api/v1/regulations"
    tags = ("Privacy",)

    @get(guards=[needs("read")])
    async def list_all(
        self,
        services: NamedDependency[Services],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[Regulation]:
        """List the regulations, the newest first, with their targets."""
        check_limit(limit)
        found = await services.configdb.look(list_regulations, limit + 1, cursor)
        more = found[limit - 1].id if len(found) > limit else None
        return Page(items=found[:limit], next_cursor=more)

    @post(guards=[needs("admin")])
    async def create(
        self, services: NamedDependency[Services], data: JSONBody[NewRegulation]
    ) -> Regulation:
        """Suppress, allow again or delete users; it is carried out in the background."""
        return await services.regulations.begin(data.kind, data.user_ids)

    @get("/{regulation:str}", guards=[needs("read")])
    async def show(
        self, services: NamedDependency[Services], regulation: FromPath[str]
    ) -> Regulation:
        """Show one regulation: its state, and the state of each target."""
        return await services.configdb.look(get_regulation, regulation)


class SuppressedIdsController(Controller):
    """`/api/v1/suppressed-users`."""

    path = "/api/v1/suppressed-users"
    tags = ("Privacy",)

    @get(guards=[needs("read")])
    async def list_them(
        self,
        services: NamedDependency[Services],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[SuppressedId]:
        """List the users whom no message may enter for, oldest first, as keyed fingerprints."""
        found = await services.configdb.look(list_suppressed_ids)
        return page_of(found, lambda one: one.fingerprint, limit, cursor)
