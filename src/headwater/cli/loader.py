"""Send planned calls to a server's Collector API, each once.

In: calls with ids that never change. Out: how many were new. Asks the server which ones it holds,
which is exact once its readers have caught up with its log; waits while the server is busy.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

import urllib3

from headwater.base.clock import Clock
from headwater.base.errors import UnavailableError
from headwater.base.retry import backoff_s, retry_after_s
from headwater.cli.common import Remote
from headwater.collector import BACKFILL_HEADER, KEY_HEADER, Planned

_TIMEOUT = urllib3.Timeout(connect=5.0, read=120.0)
_TRIES = 12
_CREATED = 201
_BUSY = 503
_POLL_S = 0.05
_PATIENCE_S = 600.0
_AT_ONCE = 4


class Sent(NamedTuple):
    """What became of the calls of a chunk."""

    new: int
    known: int


class Loader:
    """The way of an import into one app."""

    def __init__(self, server: Remote, app_id: str, key: str, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._known_path = f"/api/v1/apps/{app_id}/known-calls"
        self._headers = {
            KEY_HEADER: key,
            BACKFILL_HEADER: "1",
            "content-type": "application/json",
            "user-agent": "headwater-import",
        }
        self._http = urllib3.PoolManager(
            timeout=_TIMEOUT, retries=False, maxsize=_AT_ONCE, block=True
        )
        self._sent: set[str] = set()

    def send_all(self, chunks: Iterable[Sequence[Planned]]) -> Iterator[Sent]:
        """Send chunk after chunk, some at the same time; return what became of each."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="import") as threads:
            waiting: deque[Future[Sent]] = deque()
            for chunk in chunks:
                # An id may come twice in one import, in files that overlap: the first one counts.
                first = [call for call in chunk if call.call_id not in self._sent]
                self._sent.update(call.call_id for call in first)
                waiting.append(threads.submit(self._send, first, len(chunk)))
                if len(waiting) > _AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _send(self, calls: Sequence[Planned], planned: int) -> Sent:
        known = self._known(calls) if calls else set()
        new = {call.call_id: call.event for call in calls if call.call_id not in known}
        if new:
            self._post(b"[" + b",".join(new.values()) + b"]")
        return Sent(new=len(new), known=planned - len(new))

    def settle(self) -> None:
        """Wait until everything that the log holds now is in the store."""
        goal = self._status()[0]
        end_s = self._clock.monotonic_s() + _PATIENCE_S
        while self._status()[1] <= goal:
            if self._clock.monotonic_s() > end_s:
                raise UnavailableError(
                    "The server does not get its calls into the store.",
                    hint="See `headwater doctor`; the import can be repeated.",
                )
            time.sleep(_POLL_S)

    def _status(self) -> tuple[int, int]:
        """Return the log's last offset, and the next one that ingest will read."""
        status = self._server.get("/api/v1/status")
        ingest = status["readers"].get("ingest", {"next_offset": 1})
        return status["streams"]["calls"]["last_offset"], ingest["next_offset"]

    def _known(self, calls: Sequence[Planned]) -> set[str]:
        times = [call.time for call in calls if call.time is not None]
        answer = self._server.post(
            self._known_path,
            {
                "call_ids": [call.call_id for call in calls],
                "from": _iso(min(times, default=None)),
                "to": _iso(max(times, default=None)),
            },
        )
        return set(answer["known"])

    def _post(self, body: bytes) -> None:
        url = f"{self._server.url}/v1/events/batch"
        status = 0
        for attempt in range(1, _TRIES + 1):
            reply = self._http.request("POST", url, body=body, headers=self._headers)
            status = reply.status
            if status == _CREATED:
                return
            if status != _BUSY:
                break
            time.sleep(retry_after_s(reply.headers.get("retry-after")) or backoff_s(attempt))
        raise UnavailableError(
            f"The server answered {status} to a batch of calls.",
            hint="Repeat the import: what has arrived is skipped.",
        )


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
