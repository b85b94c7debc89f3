"""Manage destinations by HTTP: the catalogue, add, list, change, switch, remove, status, replay.

In: JSON. Out: JSON. Secrets go in and never come out again, but for one that is made on adding.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
import sqlalchemy as sa
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from headwater.base.errors import InvalidInputError
from headwater.destinations import (
    DESTINATIONS,
    Changes,
    DestinationType,
    Filter,
    Instance,
    Mapping,
    add_destination,
    change_destination,
    get_destination,
    list_destinations,
    remove_destination,
    rotate_secret,
    set_destination_enabled,
    show_settings,
)
from headwater.federation import (
    DeadLetter,
    DeliveryStatus,
    DeliveryView,
    delivery_view,
    list_dead_letters,
    list_waiting,
    replay_dead_letters,
    resume,
)
from headwater.sources import get_source
from headwater.web.api.paging import Page, page_of
from headwater.web.auth import needs
from headwater.web.services import Services

_MOST_HOURS = 90 * 24


class NewDestination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/destinations`."""

    type: str
    source: str
    """Slug or id."""
    name: str = ""
    settings: dict[str, str] = {}


class DestinationItem(msgspec.Struct, frozen=True, kw_only=True):
    """One destination; secrets are masked."""

    id: str
    type: str
    name: str
    source_id: str
    enabled: bool
    enabled_at: datetime
    created_at: datetime
    settings: dict[str, str]
    filters: tuple[Filter, ...]
    mappings: tuple[Mapping, ...]
    keeps_order: bool


class CreatedDestination(DestinationItem, frozen=True, kw_only=True):
    """The answer on adding: `secrets` were made here and are shown only now."""

    secrets: dict[str, str]


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a rotation."""

    keep_hours: Annotated[int, msgspec.Meta(ge=0, le=720)] = 24
    """How long the old secret works beside the new one."""


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a replay: dead letters first tried in this range."""

    since: datetime | None = msgspec.field(name="from", default=None)
    until: datetime | None = msgspec.field(name="to", default=None)


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a replay."""

    id: str
    replayed: int


class DestinationsController(Controller):
    """`/api/v1/destinations`."""

    path = "/api/v1/destinations"
    tags = ("Destinations",)

    @get("/catalog", guards=[needs("read")])
    async def catalog(self) -> list[DestinationType]:
        """List the types of destination, with their settings and actions."""
        return [kind.declaration for kind in DESTINATIONS]

    @get(guards=[needs("read")])
    async def list_all(
        self,
        services: NamedDependency[Services],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[DestinationItem]:
        """List the destinations, oldest first."""
        found = await services.configdb.run(list_destinations)
        items = [show_destination(services, instance) for instance in found]
        return page_of(items, lambda item: item.id, limit, cursor)

    @post(guards=[needs("admin")])
    async def create(
        self, services: NamedDependency[Services], data: JSONBody[NewDestination]
    ) -> CreatedDestination:
        """Add a destination; it gets what its source receives from now on."""
        instance, secrets = await services.configdb.run(_add, services, data)
        fields = msgspec.structs.asdict(show_destination(services, instance))
        return CreatedDestination(**fields, secrets=secrets)

    @get("/{destination_id:str}", guards=[needs("read")])
    async def show(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> DestinationItem:
        """Show one destination."""
        return show_destination(
            services, await services.configdb.run(get_destination, destination_id)
        )

    @post("/{destination_id:str}/enable", guards=[needs("admin")])
    async def enable(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> DestinationItem:
        """Let a destination get what its source receives from now on."""
        return await _switch(services, destination_id, enabled=True)

    @post("/{destination_id:str}/disable", guards=[needs("admin")])
    async def disable(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> DestinationItem:
        """Stop a destination; it misses what passes meanwhile."""
        return await _switch(services, destination_id, enabled=False)

    @patch("/{destination_id:str}", guards=[needs("admin")])
    async def change(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        data: JSONBody[Changes],
    ) -> DestinationItem:
        """Change name, settings, filters, mappings or order; secrets left empty stay."""
        instance = await services.configdb.run(
            change_destination, services.vault, services.egress, destination_id, data
        )
        return show_destination(services, instance)

    @delete("/{destination_id:str}", guards=[needs("admin")])
    async def remove(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> None:
        """Remove a destination with all that waits for it."""
        await services.configdb.run(remove_destination, destination_id)

    @post("/{destination_id:str}/rotate-secret", guards=[needs("admin")], status_code=200)
    async def rotate(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        data: JSONBody[Rotation],
    ) -> CreatedDestination:
        """Give a destination a new secret; the old one works on for a while."""
        keep = timedelta(hours=data.keep_hours)
        instance, secrets = await services.configdb.run(
            rotate_secret, services.vault, services.clock, destination_id, keep
        )
        fields = msgspec.structs.asdict(show_destination(services, instance))
        return CreatedDestination(**fields, secrets=secrets)

    @get("/{destination_id:str}/status", guards=[needs("read")])
    async def status(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> DeliveryStatus:
        """Show what was delivered, what waits and what is dead."""
        return await services.federation.status(destination_id)

    @get("/{destination_id:str}/deliveries", guards=[needs("read")])
    async def deliveries(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        hours: FromQuery[int] = 24,
    ) -> DeliveryView:
        """Show rates, ages, counts by hour, and errors with samples, of the last hours."""
        if not 1 <= hours <= _MOST_HOURS:
            raise InvalidInputError(f"`hours` is 1 to {_MOST_HOURS}.", field="hours")
        until = services.clock.now()
        since = until - timedelta(hours=hours)
        return await services.configdb.look(delivery_view, destination_id, since, until)

    @post("/{destination_id:str}/resume", guards=[needs("write")], status_code=200)
    async def resume(
        self, services: NamedDependency[Services], destination_id: FromPath[str]
    ) -> DeliveryStatus:
        """Send again to a destination that is paused because it refused our key."""
        await services.configdb.run(get_destination, destination_id)
        await services.configdb.run(resume, destination_id)
        return await services.federation.status(destination_id)

    @get("/{destination_id:str}/waiting", guards=[needs("read")])
    async def waiting(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[DeadLetter]:
        """List messages that will be tried again, with what kept them."""
        found = await services.configdb.look(
            list_waiting, destination_id, limit=limit, after=cursor
        )
        return Page(items=found, next_cursor=found[-1].message_id if len(found) == limit else None)

    @get("/{destination_id:str}/failures", guards=[needs("read")])
    async def failures(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        limit: FromQuery[int] = 100,
        cursor: FromQuery[str] = "",
    ) -> Page[DeadLetter]:
        """List dead letters with their reasons and the messages themselves."""
        letters = await services.configdb.run(
            list_dead_letters, destination_id, limit=limit, after=cursor
        )
        is_last = len(letters) < limit
        return Page(items=letters, next_cursor=None if is_last else letters[-1].message_id)

    @post("/{destination_id:str}/replay", guards=[needs("write")], status_code=200)
    async def replay(
        self,
        services: NamedDependency[Services],
        destination_id: FromPath[str],
        data: JSONBody[Replay],
    ) -> Replayed:
        """Let dead letters be tried again, as if new."""
        count = await services.configdb.run(
            replay_dead_letters,
            services.clock,
            destination_id,
            since=data.since,
            until=data.until,
        )
        return Replayed(id=destination_id, replayed=count)


def _add(
    connection: sa.Connection, services: Services, data: NewDestination
) -> tuple[Instance, dict[str, str]]:
    return add_destination(
        connection,
        services.vault,
        services.clock,
        services.egress,
        source_id=get_source(connection, data.source).id,
        kind=data.type,
        values=data.settings,
        name=data.name,
    )


async def _switch(services: Services, destination_id: str, *, enabled: bool) -> DestinationItem:
    instance = await services.configdb.run(
        set_destination_enabled, services.clock, destination_id, enabled=enabled
    )
    return show_destination(services, instance)


def show_destination(services: Services, instance: Instance) -> DestinationItem:
    """Return a destination as people may see it."""
    return DestinationItem(
        id=instance.id,
        type=instance.type,
        name=instance.name,
        source_id=instance.source_id,
        enabled=instance.enabled,
        enabled_at=instance.enabled_at,
        created_at=instance.created_at,
        settings=show_settings(services.vault, instance),
        filters=instance.filters,
        mappings=instance.mappings,
        keeps_order=instance.keeps_order,
    )
