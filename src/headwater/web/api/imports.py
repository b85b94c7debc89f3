"""Tell an importer which calls are there already, so that it sends only the others.

In: call ids and the span of time in which they happened; offsets of log entries. Out: the known
ids; the days that have calls at all; how many calls of these entries are stored.
"""

from datetime import UTC, date, datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.ingest import count_stored, days_with_calls
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import get_app

MOST_IDS = 10_000
Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
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


class CallDays(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `GET /api/v1/apps/{app_id}/call-days`."""

    days: list[date]


class LogEntries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/apps/{app_id}/stored-calls`."""

    offsets: Annotated[list[Offset], msgspec.Meta(max_length=MOST_IDS)]


class StoredCalls(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    calls: int


class ImportsController(Controller):
    """What an importer asks, below `/api/v1/apps/{app_id}`."""

    path = "/api/v1/apps/{app_id:str}"
    tags = ("Apps",)

    @post("/known-calls", guards=[needs("read")], status_code=200)
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

    @get("/call-days", guards=[needs("read")])
    async def days(self, services: NamedDependency[Services], app_id: FromPath[str]) -> CallDays:
        """Return the days, by UTC, on which calls happened that are stored."""
        await services.configdb.run(get_app, app_id)
        return CallDays(days=await days_with_calls(services.store, app_id))

    @post("/stored-calls", guards=[needs("read")], status_code=200)
    async def count(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[LogEntries],
    ) -> StoredCalls:
        """Return how many calls are stored that these entries of the log brought."""
        await services.configdb.run(get_app, app_id)
        return StoredCalls(calls=await count_stored(services.store, app_id, data.offsets))


def _within(at: datetime | None) -> datetime | None:
    return None if at is None else min(max(at, _HELD[0]), _HELD[1])
