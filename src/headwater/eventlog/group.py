"""Group commit: pack the records of many requests into few durable log entries.

In: encoded records of one request. Out: their entry's offset, after the fsynced ack. One fsync an
entry is the cost that matters, so requests that arrive within some milliseconds share one, and
while all slots are taken the next entry goes on filling.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from headwater.base.crash import crash_point
from headwater.base.errors import TooLargeError, UnavailableError
from headwater.base.telemetry import ACK_SECONDS
from headwater.eventlog.port import MAX_ENTRY_BYTES, EventLog, Stream

GROUP_BYTES = 512_000
IN_FLIGHT = 8
MAX_WAITING_BYTES = 128 * 1024 * 1024
"""Above this the log is plainly too slow: refuse, rather than fill the memory."""
_SEPARATOR = b"\n"


class _Group:
    """Records that will be one entry, and those who wait for it."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.size_bytes = 0
        self.is_queued = False
        self._waiting: list[asyncio.Future[int]] = []

    def add(self, records: Sequence[bytes], size_bytes: int) -> None:
        self.records += records
        self.size_bytes += size_bytes

    def durable(self) -> asyncio.Future[int]:
        """Return a future of the entry's offset; each caller has its own, and may give it up."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def settle(self, outcome: int | Exception) -> None:
        """Tell all who still wait."""
        for future in self._waiting:
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
                future.exception()  # if its owner has left, the loop must not complain
            else:
                future.set_result(outcome)


class GroupCommit:
    """One for each stream and process. Entries start in the order in which they began to fill."""

    def __init__(self, log: EventLog, stream: Stream, *, wait_s: float = 0.002) -> None:
        self._log = log
        self._stream = stream
        self._wait_s = wait_s
        self._filling: _Group | None = None
        self._queue: deque[_Group] = deque()
        self._waiting_bytes = 0
        self._commits: set[asyncio.Task[None]] = set()
        self._closed = False

    async def append(self, records: Sequence[bytes]) -> int:
        """Return the highest offset that holds `records`, once all of them are durable.

        Raises `TooLargeError` before anything is stored, and `UnavailableError` when the log
        refused: some records may then be stored all the same, which is why each carries its own
        id. Whoever stops waiting takes nothing from the others.
        """
        self._check_room(records)
        waiting = [group.durable() for group in self._place(records)]
        offset = 0
        for future in waiting:
            offset = max(offset, await future)
        return offset

    async def append_alone(self, record: bytes) -> int:
        """Return the offset of an entry that holds nothing but `record`, as `append` would.

        For those who count by the offset what became of a record.
        """
        self._check_room((record,))
        group = _Group()
        self._fill(group, (record,), _size_of((record,)))
        future = group.durable()
        self._enqueue(group)
        return await future

    async def close(self) -> None:
        """Refuse new records, and wait until all that came before are durable."""
        self._closed = True
        if self._filling is not None:
            self._enqueue(self._filling)
        while self._commits:
            await asyncio.wait(self._commits)

    def _check_room(self, records: Sequence[bytes]) -> None:
        if self._closed:
            raise UnavailableError("The server is stopping.")
        if max(map(len, records), default=0) > MAX_ENTRY_BYTES:
            raise TooLargeError(f"One record may have {MAX_ENTRY_BYTES} bytes at most.")
        if self._waiting_bytes > MAX_WAITING_BYTES:
            raise UnavailableError("The log cannot keep up.", hint="Try again in some seconds.")

    def _place(self, records: Sequence[bytes]) -> Iterable[_Group]:
        """Put records into groups: all into one, unless they are too many."""
        size_bytes = _size_of(records)
        if records and size_bytes <= GROUP_BYTES:
            return (self._add(records, size_bytes),)
        return dict.fromkeys([self._add((record,), _size_of((record,))) for record in records])

    def _add(self, records: Sequence[bytes], size_bytes: int) -> _Group:
        group = self._filling
        if group is not None and group.size_bytes + size_bytes > GROUP_BYTES:
            self._filling = None
            self._enqueue(group)
            group = None
        if group is None:
            group = self._filling = _Group()
            asyncio.get_running_loop().call_later(self._wait_s, self._enqueue, group)
        self._fill(group, records, size_bytes)
        return group

    def _fill(self, group: _Group, records: Sequence[bytes], size_bytes: int) -> None:
        group.add(records, size_bytes)
        self._waiting_bytes += size_bytes

    def _enqueue(self, group: _Group) -> None:
        if not group.is_queued:
            group.is_queued = True
            self._queue.append(group)
            self._start()

    def _start(self) -> None:
        while self._queue and len(self._commits) < IN_FLIGHT:
            group = self._queue.popleft()
            if group is self._filling:
                self._filling = None
            task = asyncio.get_running_loop().create_task(self._commit(group))
            self._commits.add(task)
            task.add_done_callback(self._on_committed)

    def _on_committed(self, task: asyncio.Task[None]) -> None:
        self._commits.discard(task)
        self._start()

    async def _commit(self, group: _Group) -> None:
        try:
            with ACK_SECONDS.time():
                offset = await self._log.append(self._stream, _SEPARATOR.join(group.records))
            crash_point("eventlog.appended")
        except Exception as err:  # noqa: BLE001 - the waiting requests get it, whatever it is
            group.settle(err)
        except asyncio.CancelledError:
            group.settle(UnavailableError("The server is stopping."))
            raise
        else:
            group.settle(offset)
        finally:
            self._waiting_bytes -= group.size_bytes


def _size_of(records: Sequence[bytes]) -> int:
    return sum(map(len, records)) + len(records) * len(_SEPARATOR)


def split_records(data: bytes) -> list[bytes]:
    """Return the records of one log entry."""
    return data.split(_SEPARATOR) if data else []
