"""Manage by HTTP whom no message may enter for, from any source.

In: JSON. Out: JSON. Who they are is not kept: the list shows keyed fingerprints.
"""

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from headwater.sources import SuppressedId, allow_ids, list_suppressed_ids, suppress_ids
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services


class UserIds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of both changes: 5,000 user ids at most."""

    user_ids: list[str]


class ChangedIds(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the users it was news for."""

    changed: int


class SuppressedIdsController(Controller):
    """`/api/v1/suppressed-users`."""

    path = "/api/v1/suppressed-users"
    tags = ("Sources",)

    @get("/", guards=[needs("read")])
    async def list_them(
        self,
        services: NamedDependency[Services],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[SuppressedId]:
        """List the users whom no message may enter for, oldest first."""
        found = await services.configdb.look(list_suppressed_ids)
        return page_of(found, lambda one: one.fingerprint, limit, cursor)

    @post("/", guards=[needs("admin")], status_code=200)
    async def suppress(
        self, services: NamedDependency[Services], data: JSONBody[UserIds]
    ) -> ChangedIds:
        """Let no message of these users in, from two seconds on; what entered before stays."""
        changed = await services.configdb.run(
            suppress_ids, services.vault, services.clock, data.user_ids
        )
        return ChangedIds(changed=changed)

    @post("/allow", guards=[needs("admin")], status_code=200)
    async def allow(
        self, services: NamedDependency[Services], data: JSONBody[UserIds]
    ) -> ChangedIds:
        """Let messages of these users in again, from two seconds on."""
        changed = await services.configdb.run(allow_ids, services.vault, data.user_ids)
        return ChangedIds(changed=changed)
