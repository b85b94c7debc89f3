"""Tell an importer which calls are there already, so that it sends only the others.

In: call ids and the span of time in which they happened. Out: the known ones.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import get_app

MOST_IDS = 10_000
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_HELD = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC))
"""No call is stored outside, and the engine cannot hold every moment that Python can."""


class CallIds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/apps/{app_id}/known-calls`."""

    call_ids: Annotated[list[str], msgspec.Meta(max_length=MOST_IDS)]
    from_: Moment | None = msgspec.field(name="from", default=None)
    to: Moment | None = None

    def span(self) -> tuple[datetime | None, datetime | None]:
        """Return where to look: no further than calls can be."""
        return _within(self.from_), _within(self.to)


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
        found = await services.knowledge.repeats.known(app_id, data.call_ids, *data.span())
        return KnownCalls(known=sorted(found))


def _within(at: datetime | None) -> datetime | None:
    return None if at is None else min(max(at, _HELD[0]), _HELD[1])
