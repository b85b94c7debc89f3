"""Keep one connection to the log's server, and make a new one when it is lost.

In: somebody who knows where the server is. Out: a session that works, or `UnavailableError`.
Nothing is buffered while the connection is away: what was sent and not acknowledged is its
sender's to retry.
"""

import asyncio
from typing import Any, Protocol, TypeVar

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.base.telemetry import get_logger
from headwater.eventlog.port import MAX_ENTRY_BYTES

_CONNECT_S = 3
_PING_S = 5
_SESSION_S = 10.0
_log = get_logger("eventlog")
_T = TypeVar("_T")


class Address(msgspec.Struct, frozen=True):
    """Where a server listens; never logged, since it holds a secret."""

    urls: list[str]
    token: str = ""


class Server(Protocol):
    """Whoever keeps the server running."""

    async def address(self) -> Address:
        """Return where the server is, as soon as it is there."""
        ...

    def mend(self, address: Address) -> None:
        """Hear that the server at `address` takes no writes."""
        ...

    async def close(self) -> None:
        """Stop the server, if it is ours."""
        ...


class RemoteServer:
    """A server or cluster that others keep running."""

    def __init__(self, urls: str) -> None:
        self._address = Address(urls=[url.strip() for url in urls.split(",")])

    async def address(self) -> Address:
        return self._address

    def mend(self, address: Address) -> None:
        """Others mend it."""

    async def close(self) -> None:
        """It stays."""


class NoAnswerError(Exception):
    """The server was asked, and no answer came or can come."""


class Session:
    """One connection; `lost` is done as soon as it is of no use any more."""

    def __init__(self, client: Client, address: Address) -> None:
        self.client = client
        self.address = address
        self.jetstream: JetStreamContext = client.jetstream(timeout=_CONNECT_S)
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def on_closed(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def wait(self, answer: asyncio.Future[_T], within_s: float) -> _T:
        """Return the answer; raise `NoAnswerError` after a time, or as soon as none can come."""
        ends: set[asyncio.Future[Any]] = {answer, self.lost}
        try:
            await asyncio.wait(ends, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
        finally:
            answer.cancel()
        gone = self.lost.done()
        raise NoAnswerError("the connection was lost" if gone else "there was no answer in time")


class Link:
    """The connection of one `NatsLog`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: Session | None = None
        self._connecting = asyncio.Lock()
        self._closings: set[asyncio.Task[None]] = set()

    async def session(self) -> Session:
        """Return a session that was not lost yet."""
        try:
            async with asyncio.timeout(_SESSION_S), self._connecting:
                if self._session is None or self._session.lost.done():
                    self._session = await self._connect()
                return self._session
        except TimeoutError:
            raise UnavailableError("The log's server is not there.") from None

    def drop(self, session: Session) -> None:
        """Give up a session whose server does not answer, and have the server looked after."""
        if session.lost.done():
            return
        session.lost.set_result(None)
        self._server.mend(session.address)
        task = asyncio.create_task(_close(session.client))
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)

    async def close(self) -> None:
        """Close the connection, then the server if it is ours."""
        if self._session is not None:
            await _close(self._session.client)
        await asyncio.gather(*self._closings)
        await self._server.close()

    async def _connect(self) -> Session:
        address = await self._server.address()
        session = Session(Client(), address)
        client = session.client
        try:
            await client.connect(
                address.urls,
                token=address.token or None,
                name="headwater",
                allow_reconnect=False,
                max_reconnect_attempts=1,  # of each URL, before the first connection
                reconnect_time_wait=0,
                connect_timeout=_CONNECT_S,
                ping_interval=_PING_S,
                closed_cb=session.on_closed,
                error_cb=_note_error,
            )
        except (OSError, NatsError, TimeoutError) as err:
            await _close(client)
            raise UnavailableError("The log's server cannot be reached.") from err
        if client.max_payload < MAX_ENTRY_BYTES:
            await _close(client)
            raise MisconfiguredError(
                f"The NATS server takes entries of {client.max_payload} bytes only.",
                hint="Set `max_payload: 8MB` in the configuration of the NATS server.",
            )
        return session


async def _note_error(error: Exception) -> None:
    _log.warning("log_connection_error", error=type(error).__name__)


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(_CONNECT_S):
            await client.close()
    except (OSError, NatsError, TimeoutError) as err:
        _log.warning("log_connection_not_closed", error=type(err).__name__)
