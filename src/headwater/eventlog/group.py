"""Group commit: pack the records of many requests into few durable log entries.

In: encoded records of one request. Out: their entry's offset, after the fsynced ack. One fsync an
entry is the cost that matters, so requests that arrive within some milliseconds share one.
"""

import asyncio
from collections.abc import Sequence

from headwater.base.telemetry import ACK_SECONDS
from headwater.eventlog.port import EventLog, Stream

MAX_ENTRY_BYTES = 512_000
IN_FLIGHT = 8
_SEPARATOR = b"\n"


class GroupCommit:
    """One for each stream and process. `close()` flushes what waits."""

    def __init__(self, log: EventLog, stream: Stream, *, wait_s: float = 0.002) -> None:
        self._log = log
        self._stream = stream
        self._wait_s = wait_s
        self._records: list[bytes] = []
        self._size_bytes = 0
        self._done: asyncio.Future[int] | None = None
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._tasks: set[asyncio.Task[None]] = set()

    async def append(self, records: Sequence[bytes]) -> int:
        """Return the highest offset that holds `records`, once all of them are durable.

        Raises `UnavailableError` when the log refused: some records may then be stored all
        the same, which is why each carries its own id.
        """
        waits: list[asyncio.Future[int]] = []
        for record in records:
            if self._size_bytes and self._size_bytes + len(record) > MAX_ENTRY_BYTES:
                self._send()
            waits.append(self._add(record))
        offsets = await asyncio.gather(*dict.fromkeys(waits), return_exceptions=True)
        for offset in offsets:
            if isinstance(offset, BaseException):
                raise offset
        return max((o for o in offsets if isinstance(o, int)), default=0)

    def _add(self, record: bytes) -> asyncio.Future[int]:
        loop = asyncio.get_running_loop()
        if self._done is None:
            self._done = loop.create_future()
            loop.call_later(self._wait_s, self._send_if, self._done)
        self._records.append(record)
        self._size_bytes += len(record) + 1
        return self._done

    def _send_if(self, group: asyncio.Future[int]) -> None:
        if self._done is group:
            self._send()

    def _send(self) -> None:
        if self._done is None:
            return
        data, done = _SEPARATOR.join(self._records), self._done
        self._records, self._size_bytes, self._done = [], 0, None
        task = asyncio.get_running_loop().create_task(self._commit(data, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit(self, data: bytes, done: asyncio.Future[int]) -> None:
        try:
            async with self._slots:
                with ACK_SECONDS.time():
                    offset = await self._log.append(self._stream, data)
        except Exception as err:  # noqa: BLE001 - the waiting requests get it, whatever it is
            if not done.done():
                done.set_exception(err)
                done.exception()  # a client that left must not make the loop complain
        else:
            if not done.done():
                done.set_result(offset)

    async def close(self) -> None:
        """Send what waits, and wait until it is durable."""
        self._send()
        await asyncio.gather(*self._tasks)


def split_records(data: bytes) -> list[bytes]:
    """Return the records of one log entry."""
    return data.split(_SEPARATOR) if data else []
