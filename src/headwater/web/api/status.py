"""Tell how far everything has come: the log's streams, each reader's position, each warehouse.

Out: JSON, with the number of records that nobody could read. `next_offset` beyond a stream's
`last_offset` means that the reader has read everything.
"""

from datetime import datetime

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency

from headwater import __version__
from headwater.configdb import read_positions
from headwater.eventlog import Stream
from headwater.ingest import count_unreadable
from headwater.warehouse import Standing
from headwater.web.auth import needs
from headwater.web.services import Services


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stream of the log begins and ends."""

    first_offset: int
    last_offset: int


class ReaderState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a reader has come."""

    stream: str
    next_offset: int


class WarehouseState(msgspec.Struct, frozen=True, kw_only=True):
    """How a warehouse stands."""

    id: str
    name: str
    state: str
    """`healthy`, `new`, `paused`, `failing`, `parked` (single tables) or `behind`."""
    failures: int
    """Syncs that failed, one after the other."""
    error: str
    waiting_entries: int
    waiting_since: datetime | None
    """When the oldest message came in that it has not loaded."""
    holds_log: bool
    """True: the log is kept for longer than usual, since this warehouse still needs it."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `GET /api/v1/status`."""

    version: str
    streams: dict[str, StreamState]
    readers: dict[str, ReaderState]
    warehouses: list[WarehouseState]
    unreadable_records: int
    """Of the log, of no app; `/api/v1/unreadable-records` lists them."""


class StatusController(Controller):
    """`/api/v1/status`."""

    path = "/api/v1/status"
    tags = ("Operations",)

    @get(guards=[needs("read")])
    async def show(self, services: NamedDependency[Services]) -> Status:
        """Show the version, the log's streams, its readers and what none could read."""
        states = {stream: await services.log.state(stream) for stream in Stream}
        readers = await services.configdb.run(read_positions)
        return Status(
            version=__version__,
            streams={
                name.value: StreamState(
                    first_offset=state.first_offset, last_offset=state.last_offset
                )
                for name, state in states.items()
            },
            readers={
                name: ReaderState(stream=stream, next_offset=position.next_offset)
                for name, (stream, position) in readers.items()
            },
            warehouses=[_state_of(one) for one in await _standings(services)],
            unreadable_records=await count_unreadable(services.store),
        )


async def _standings(services: Services) -> list[Standing]:
    return await services.warehouses.standings(services.settings.eventlog.keep_consumed_s)


def _state_of(one: Standing) -> WarehouseState:
    return WarehouseState(
        id=one.id,
        name=one.name,
        state=one.state,
        failures=one.failures,
        error=one.error,
        waiting_entries=one.waiting.entries,
        waiting_since=one.waiting.since,
        holds_log=one.waiting.holds_log,
    )
