"""Keep the log in NATS JetStream: our own child, or a cluster by URL.

In: bytes. Out: sequence numbers as offsets. An append is tried again through lost connections,
restarts and elections until its time is over; its message id makes JetStream store it once. Reads
are stateless batches, checked for gaps: JetStream itself skips what it lost without a word.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
from nats.errors import Error as NatsError
from nats.js.api import PubAck
from nats.js.errors import APIError, NotFoundError

from headwater.base.errors import CorruptError, TooLargeError, UnavailableError
from headwater.base.ids import new_secret
from headwater.base.settings import EventLogSettings
from headwater.eventlog.batch import Batch
from headwater.eventlog.link import Link, Server, Session
from headwater.eventlog.port import MAX_ENTRY_BYTES, Entry, LogState, Stream
from headwater.eventlog.streams import PROBE, lay_out_streams, stream_name, subject

_APPEND_S = 10.0
"""An election takes up to eight seconds: wait for it, then refuse."""
_ACK_S = 4.0
_FETCH_S = 10.0
_RETRY_PAUSE_S = 0.1
_POLL_S = 0.25
"""How soon entries appended by other processes are seen; our own are seen at once."""
_MOST_BYTES = 32_000_000
"""JetStream drops a reader that lets 64 MB wait."""
_MORE_ROOM = "See which reader lags behind, or raise HEADWATER_EVENTLOG__MAX_DISK_BYTES."
_FULL = "maximum bytes exceeded"
_T = TypeVar("_T")


class _TryAgainError(Exception):
    """This attempt failed in a way that another one may not."""


class NatsLog:
    """The log of one process; `open_event_log` makes it."""

    def __init__(self, server: Server) -> None:
        self._link = Link(server)
        self._news = {stream: asyncio.Event() for stream in Stream}
        self._refusal: dict[str, str] = {}

    async def prepare(self, settings: EventLogSettings) -> None:
        """Connect, and create the streams."""
        session = await self._link.session()
        try:
            await lay_out_streams(session.jetstream, settings)
        except (NatsError, TimeoutError) as err:
            raise UnavailableError(f"The log's streams cannot be created: {err}") from err

    async def append(self, stream: Stream, data: bytes) -> int:
        if len(data) > MAX_ENTRY_BYTES:
            raise TooLargeError(f"A log entry holds {MAX_ENTRY_BYTES} bytes at most.")
        offset = await self._append(stream, data)
        self._news[stream].set()
        self._news[stream] = asyncio.Event()
        return offset

    async def read(
        self, stream: Stream, first: int, *, max_entries: int, max_bytes: int, wait_s: float
    ) -> list[Entry]:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait_s
        request = {"seq": first, "batch": max_entries, "max_bytes": min(max_bytes, _MOST_BYTES)}
        verified = False
        while True:
            news = self._news[stream]
            entries = await self._fetch(stream, first, request)
            if not entries and not verified:
                entries = await self._fetch_from_leader(stream, first)
                verified = True
            rest_s = give_up_at - loop.time()
            if entries or rest_s <= 0:
                return entries
            await _wait_for_news(news, min(_POLL_S, rest_s))

    async def state(self, stream: Stream) -> LogState:
        session = await self._link.session()
        info = (await _answer(session.jetstream.stream_info(stream_name(stream)))).state
        return LogState(
            first_offset=info.first_seq if info.messages else info.last_seq + 1,
            last_offset=info.last_seq,
            deleted=info.num_deleted or 0,
            bytes_on_disk=info.bytes,
        )

    async def trim(self, stream: Stream, keep_from: int) -> None:
        state = await self.state(stream)
        keep_from = min(keep_from, state.last_offset + 1)
        if keep_from <= state.first_offset:
            return
        session = await self._link.session()
        await _answer(session.jetstream.purge_stream(stream_name(stream), seq=keep_from))

    async def check(self) -> None:
        await self._append(PROBE, b"probe")
        for stream, refusal in self._refusal.items():
            raise UnavailableError(f"The log refused the last entry of {stream}: {refusal}")

    async def close(self) -> None:
        await self._link.close()

    async def _append(self, stream: str, data: bytes) -> int:
        headers = {"Nats-Msg-Id": new_secret("entry", 12)}
        why = "it did not answer in time"
        try:
            async with asyncio.timeout(_APPEND_S):
                while True:
                    try:
                        offset = await self._append_once(stream, data, headers)
                    except _TryAgainError as err:
                        why = str(err)
                        await asyncio.sleep(_RETRY_PAUSE_S)
                    else:
                        self._refusal.pop(stream, None)
                        return offset
        except TimeoutError:
            self._refusal[stream] = why
            raise UnavailableError(
                f"The log took no entry within {_APPEND_S:.0f} s: {why}"
            ) from None

    async def _append_once(self, stream: str, data: bytes, headers: dict[str, str]) -> int:
        try:
            session = await self._link.session()
        except UnavailableError as err:
            raise _TryAgainError(str(err)) from err
        try:
            future = await session.jetstream.publish_async(subject(stream), data, headers=headers)
            ack: PubAck = await self._result(session, future, _ACK_S)
        except APIError as err:
            why = err.description or "no reason given"
            if _FULL not in why:
                self._link.drop(session)
                raise _TryAgainError(why) from err
            self._refusal[stream] = "it is full"
            raise UnavailableError("The log is full.", hint=_MORE_ROOM) from err
        except NatsError as err:
            raise _TryAgainError(str(err)) from err
        return int(ack.seq)

    async def _fetch(self, stream: Stream, first: int, request: dict[str, int]) -> list[Entry]:
        session = await self._link.session()
        batch = Batch()
        inbox = session.client.new_inbox()
        try:
            subscription = await session.client.subscribe(inbox, cb=batch.take)
            await session.client.publish(
                f"$JS.API.DIRECT.GET.{stream_name(stream)}",
                msgspec.json.encode(request),
                reply=inbox,
            )
            await self._result(session, batch.complete, _FETCH_S)
            await subscription.unsubscribe()
        except (NatsError, _TryAgainError) as err:
            raise UnavailableError(f"The log cannot be read: {err}") from err
        return batch.run_from(first)

    async def _fetch_from_leader(self, stream: Stream, first: int) -> list[Entry]:
        """Ask the one who must know whether entry `first` is not there yet, or not any more."""
        state = await self.state(stream)
        if first == state.last_offset + 1:
            return []
        if not state.first_offset <= first <= state.last_offset:
            raise CorruptError(
                f"Offset {first} of {stream} is outside of the log, which holds "
                f"{state.first_offset} to {state.last_offset}."
            )
        session = await self._link.session()
        try:
            message = await _answer(session.jetstream.get_msg(stream_name(stream), seq=first))
        except NotFoundError as err:
            raise CorruptError(f"Entry {first} of {stream} is missing from the log.") from err
        assert message.time is not None  # noqa: S101 - every answer has it
        return [Entry(offset=first, data=message.data or b"", appended_at=message.time)]

    async def _result(self, session: Session, future: asyncio.Future[_T], within_s: float) -> _T:
        """Return the future's result, but wait neither for a lost connection nor for ever."""
        ends: set[asyncio.Future[Any]] = {future, session.lost}
        try:
            await asyncio.wait(ends, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                return future.result()
        finally:
            future.cancel()
        if session.lost.done():
            raise _TryAgainError("the connection was lost")
        self._link.drop(session)
        raise _TryAgainError("it did not answer in time")


async def _answer(request: Awaitable[_T]) -> _T:
    try:
        return await request
    except NotFoundError:
        raise
    except (NatsError, TimeoutError) as err:
        raise UnavailableError(f"The log cannot be asked: {err}") from err


async def _wait_for_news(news: asyncio.Event, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await news.wait()
    except TimeoutError:
        return
