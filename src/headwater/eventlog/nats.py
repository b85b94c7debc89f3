"""Keep the log in NATS JetStream: our own child, or a cluster by URL.

In: bytes. Out: sequence numbers as offsets. An append is tried again through lost connections,
restarts and elections until its time is over; its message id makes JetStream store it once. Reads
are checked for gaps: JetStream itself skips what it lost without a word.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from headwater.base.clock import SystemClock
from headwater.base.errors import CorruptError, TooLargeError, UnavailableError
from headwater.base.ids import new_secret
from headwater.base.settings import EventLogSettings
from headwater.base.telemetry import get_logger
from headwater.eventlog.batch import Wanted, fetch_run
from headwater.eventlog.link import Link, NoAnswerError, Server
from headwater.eventlog.mark import HighMark
from headwater.eventlog.packing import count_records, pack, unpack
from headwater.eventlog.port import MAX_ENTRY_BYTES, Entry, LogState, Stream
from headwater.eventlog.streams import PROBE, lay_out_streams, stream_name, subject
from headwater.eventlog.tail import Tail

_APPEND_S = 10.0
"""An election takes up to eight seconds: wait for it, then refuse."""
_CHECK_S = 3.0
_ACK_S = 4.0
"""A server that took this long for one entry is looked after."""
_RETRY_PAUSE_S = 0.1
_LARGE_BYTES = 64_000
"""Packed beside the event loop, so that requests need not wait for it."""
_POLL_S = 0.25
"""How soon entries appended by other processes are seen; our own are seen at once."""
_MORE_ROOM = "See which reader is behind, or raise HEADWATER_EVENTLOG__MAX_DISK_BYTES."
_log = get_logger("eventlog")
_FULL = "maximum bytes exceeded"
_T = TypeVar("_T")


class _TryAgainError(Exception):
    """This attempt failed in a way that another one may not."""


class NatsLog:
    """The log of one process; `open_event_log` makes it."""

    def __init__(self, server: Server, mark: HighMark | None = None) -> None:
        self._link = Link(server)
        self._mark = mark
        self._news = {stream: asyncio.Event() for stream in Stream}
        self._clock = SystemClock()
        self._tails = {stream: Tail() for stream in Stream}
        self._refused: set[Stream] = set()

    async def prepare(self, settings: EventLogSettings) -> None:
        """Connect, create the streams, and own up to what they lost."""
        session = await self._link.session()
        await _answer(lay_out_streams(session.jetstream, settings))
        if self._mark:
            for stream in Stream:
                await self._reopen_gap(stream, self._mark.highest(stream))

    async def append(self, stream: Stream, data: bytes) -> int:
        if len(data) > MAX_ENTRY_BYTES:
            raise TooLargeError(f"A log entry holds {MAX_ENTRY_BYTES} bytes at most.")
        try:
            large = len(data) > _LARGE_BYTES
            packed, records = await asyncio.to_thread(_pack, data) if large else _pack(data)
            offset = await self._append(stream, packed, _APPEND_S)
        except UnavailableError:
            self._refused.add(stream)
            raise
        self._refused.discard(stream)
        if self._mark:
            self._mark.put(stream, offset)
        self._tails[stream].put(Entry(offset, data, self._clock.now(), records))
        self._news[stream].set()
        self._news[stream] = asyncio.Event()
        return offset

    async def read(
        self, stream: Stream, first: int, *, max_entries: int, max_bytes: int, wait_s: float
    ) -> list[Entry]:
        at_hand = self._tails[stream].run(first, max_entries, max_bytes)
        if at_hand:
            return at_hand
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait_s
        wanted = Wanted(seq=first, batch=max_entries, max_bytes=max_bytes)
        news = self._news[stream]
        entries = await self._fetch(stream, wanted) or await self._ask_leader(stream, first)
        while not entries and (rest_s := give_up_at - loop.time()) > 0:
            await _wait_for_news(news, min(_POLL_S, rest_s))
            news = self._news[stream]
            entries = await self._fetch(stream, wanted)
        return entries

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
        self._tails[stream].trim(keep_from)
        state = await self.state(stream)
        keep_from = min(keep_from, state.last_offset + 1)
        if keep_from > state.first_offset:
            session = await self._link.session()
            await _answer(session.jetstream.purge_stream(stream_name(stream), seq=keep_from))

    async def check(self) -> None:
        """Write to a stream of its own, and an empty entry to each one that refused its last."""
        await self._append(PROBE, b"probe", _CHECK_S)
        for stream in list(self._refused):
            await self._append(stream, b"", _CHECK_S)
            self._refused.discard(stream)

    async def close(self) -> None:
        await self._link.close()
        if self._mark:
            self._mark.close()

    async def _reopen_gap(self, stream: Stream, highest: int) -> None:
        """Make lost offsets at the end a gap, so that readers notice and no offset comes twice."""
        state = await self.state(stream)
        if state.last_offset >= highest:
            return
        _log.error("log_entries_lost", stream=stream, first=state.last_offset + 1, last=highest)
        jetstream = (await self._link.session()).jetstream
        name = stream_name(stream)
        if (
            state.first_offset > state.last_offset
        ):  # it holds nothing, so that nothing is in the way
            await _answer(jetstream.purge_stream(name, seq=highest + 1))
            return
        for _ in range(state.last_offset, highest):
            offset = await self._append(stream, b"", _APPEND_S)
            await _answer(jetstream.delete_msg(name, offset))

    async def _append(self, stream: str, data: bytes, within_s: float) -> int:
        headers = {"Nats-Msg-Id": new_secret("entry", 12)}
        why = "there is no answer"
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        return await self._append_once(stream, data, headers)
                    except _TryAgainError as err:
                        why = str(err)
                    await asyncio.sleep(_RETRY_PAUSE_S)
        except TimeoutError:
            raise UnavailableError(f"The log took nothing for {within_s:.0f} s: {why}") from None

    async def _append_once(self, stream: str, data: bytes, headers: dict[str, str]) -> int:
        try:
            session = await self._link.session()
        except UnavailableError as err:
            raise _TryAgainError(err.message) from err
        sending = session.jetstream.publish(subject(stream), data, _APPEND_S, headers=headers)
        try:
            ack = await session.wait(asyncio.ensure_future(sending), _ACK_S)
        except (NatsError, NoAnswerError) as err:
            if isinstance(err, APIError) and _FULL in str(err.description):
                raise UnavailableError("The log is full.", hint=_MORE_ROOM) from err
            self._link.drop(session)
            self._forget_tails()
            raise _TryAgainError(str(err)) from err
        return int(ack.seq)

    async def _fetch(self, stream: Stream, wanted: Wanted) -> list[Entry]:
        session = await self._link.session()
        try:
            return await fetch_run(session, stream_name(stream), wanted)
        except (NatsError, NoAnswerError) as err:
            self._forget_tails()
            raise UnavailableError(f"The log cannot be read: {err}") from err

    def _forget_tails(self) -> None:
        for tail in self._tails.values():
            tail.clear()

    async def _ask_leader(self, stream: Stream, first: int) -> list[Entry]:
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
        return [Entry(offset=first, data=unpack(message.data or b""), appended_at=message.time)]


def _pack(data: bytes) -> tuple[bytes, int]:
    return pack(data), count_records(data)


async def _answer(request: Awaitable[_T]) -> _T:
    """Return the answer; whoever is cancelled while waiting hears of it.

    Before Python 3.12 a cancellation that comes together with the answer is lost inside of the
    client, which waits by `asyncio.wait_for`: so the client has a task of its own.
    """
    asking = asyncio.ensure_future(request)
    try:
        await asyncio.wait((asking,))
        return asking.result()
    except NotFoundError:
        raise
    except (NatsError, TimeoutError) as err:
        raise UnavailableError(f"The log's server did not do as asked: {err}") from err
    finally:
        asking.cancel()


async def _wait_for_news(news: asyncio.Event, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await news.wait()
    except TimeoutError:
        return
