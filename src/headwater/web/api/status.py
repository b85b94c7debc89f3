"""Tell how far everything has come: the log's streams and each reader's position.

Out: JSON, with the number of records that nobody could read. `next_offset` beyond a stream's
`last_offset` means that the reader has read everything.
"""

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency

from headwater import __version__
from headwater.configdb import read_positions
from headwater.eventlog import Stream
from headwater.ingest import count_unreadable
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


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `GET /api/v1/status`."""

    version: str
    streams: dict[str, StreamState]
    readers: dict[str, ReaderState]
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
            unreadable_records=await count_unreadable(services.store),
        )
