"""Bring to a destination once more what the log still holds, by HTTP: begin, list, cancel.

In: a destination and a range of time. Out: replays, with how far they are.
"""

from datetime import datetime

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.federation import Replay, cancel_replay, list_replays
from headwater.web.auth import needs
from headwater.web.services import Services


class NewReplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a replay: when messages were received, from and up to but not including."""

    since: datetime = msgspec.field(name="from")
    until: datetime | None = msgspec.field(name="to", default=None)
    """Empty: now."""
    types: list[str] = []
    """Only these; empty for all."""


class ReplaysController(Controller):
    """`/api/v1/destinations/{destination_id}/replays`."""

    path = "/api/v1/destinations/{destination_id:str}/replays"
    tags = ("Destinations",)

    @get(guards=[needs("read")])
    async def list_all(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> list[Replay]:
        """List the newest replays."""
        return await services.configdb.look(list_replays, destination_id)

    @post(guards=[needs("write")])
    async def create(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        data: JSONBody[NewReplay],
    ) -> Replay:
        """Deliver what the destination's source received in a range of time once more.

        By the filters and mappings of today, under the same `messageId`: a receiver that
        de-duplicates takes what it has not. What the log no longer holds is not there; the answer
        says since when it is.
        """
        until = data.until or services.clock.now()
        return await services.federation.replays.begin(
            destination_id, data.since, until, data.types
        )

    @delete("/{replay_id:str}", guards=[needs("write")], status_code=200)
    async def cancel(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        replay_id: FromPath[str],
    ) -> Replay:
        """Put no more in line; what is in line is delivered."""
        return await services.configdb.run(cancel_replay, destination_id, replay_id)
