"""Tell an importer which calls are there already, so that it sends only the others.

In: call ids and the span of time in which they happened. Out: the known ones.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import get_app

MOST_IDS = 10_000


class CallIds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/apps/{app_id}/known-calls`."""

    call_ids: Annotated[list[str], msgspec.Meta(max_length=MOST_IDS)]
    from_: datetime | None = msgspec.field(name="from", default=None)
    to: datetime | None = None


class KnownCalls(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    known: list[str]


class ImportsController(Controller):
    """`/api/v1/apps/{app_id}/known-calls`."""

    path = "/api/v1/apps/{app_id:str}/known-calls"
    tags = ("Apps",)

    @post(guards=[needs("read")], status_code=200)
    async def ask(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[CallIds],
    ) -> KnownCalls:
        """Return which of these call ids are stored."""
        await services.configdb.run(get_app, app_id)
        found = await services.knowledge.repeats.known(app_id, data.call_ids, data.from_, data.to)
        return KnownCalls(known=sorted(found))
