"""Send planned calls to a server's Collector API, each once.

In: calls with ids that never change, one by one or as tables. Out: how many were new. Asks which
ones the server holds, where it holds any of the same days, which is exact once its readers have
caught up with its log; waits while the server is busy or away. What is sent twice all the same,
ingest stores once.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec
import urllib3

from headwater.base.clock import Clock
from headwater.base.errors import UnavailableError
from headwater.base.retry import backoff_s, retry_after_s
from headwater.cli.common import Remote
from headwater.collector import BACKFILL_HEADER, KEY_HEADER, TABLE_PATH, Bulk, Planned

T = TypeVar("T")

_TIMEOUT = urllib3.Timeout(connect=5.0, read=120.0)
_TRIES = 12
_TRIES_AWAY = 4
_OK, _CREATED = 200, 201
_CANNOT = (400, 404, 413)
"""Not as a table: the app decides call by call, or the server is older than tables."""
_BUSY = 503
_POLL_S = 0.05
_PATIENCE_S = 600.0
_AT_ONCE = 4
_IDS_PER_QUESTION = 10_000
_MOST_REMEMBERED = 500_000


class Table(NamedTuple):
    """Calls to send column by column."""

    bulk: Bulk
    singly: Callable[[Bulk], list[Planned]]
    """How to send them where that cannot be."""


Load = Table | Sequence[Planned] | None
"""None: for the time being there is no more."""


class Sent(NamedTuple):
    """What became of calls. Those of tables are counted when everything is stored."""

    new: int
    known: int


class Loader:
    """The way of an import into one app."""

    def __init__(self, server: Remote, app_id: str, key: str, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._app_path = f"/api/v1/apps/{app_id}"
        self._headers = {
            KEY_HEADER: key,
            BACKFILL_HEADER: "1",
            "content-type": "application/json",
            "user-agent": "headwater-import",
        }
        self._http = urllib3.PoolManager(
            timeout=_TIMEOUT, retries=False, maxsize=_AT_ONCE, block=True
        )
        self._sent: dict[str, None] = {}
        self._held: frozenset[date] = frozenset()
        self._tables: deque[tuple[int, int]] = deque()
        """Where in the log they are, with their rows."""

    def begin(self) -> None:
        """Learn what the server holds."""
        self.settle()
        days = self._server.get(f"{self._app_path}/call-days")["days"]
        self._held = frozenset(map(date.fromisoformat, days))

    def send_all(self, loads: Iterable[Load]) -> Iterator[Sent]:
        """Send load after load, some at the same time; return what became of each."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="import") as threads:
            waiting: deque[Future[Sent]] = deque()
            for load in loads:
                if load is None:
                    yield from map(Future.result, _drained(waiting))
                elif isinstance(load, Table):
                    waiting.append(threads.submit(self._send_table, load))
                else:
                    first = self._first_of(load)
                    waiting.append(threads.submit(self._send_calls, first, len(load)))
                if len(waiting) > _AT_ONCE:
                    yield waiting.popleft().result()
            yield from map(Future.result, _drained(waiting))

    @property
    def tables_to_count(self) -> int:
        """How many tables were sent that nobody has counted yet."""
        return len(self._tables)

    def finish(self) -> Sent:
        """Wait until all is stored; return what became of the tables."""
        self.settle()
        tables = list(_drained(self._tables))
        rows = sum(rows for _, rows in tables)
        stored = 0
        for some in _portions([offset for offset, _ in tables]):
            answer = self._server.post(f"{self._app_path}/stored-calls", {"offsets": some})
            stored += answer["calls"]
        return Sent(new=stored, known=rows - stored)

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

    def _first_of(self, calls: Sequence[Planned]) -> list[Planned]:
        """Return the calls whose ids did not come before, in files that overlap.

        As far as they are remembered: ingest remembers all of them.
        """
        first = [call for call in calls if call.call_id not in self._sent]
        self._sent.update(dict.fromkeys(call.call_id for call in first))
        for call_id in list(islice(self._sent, max(0, len(self._sent) - _MOST_REMEMBERED))):
            del self._sent[call_id]
        return first

    def _send_table(self, table: Table) -> Sent:
        bulk = table.bulk
        first, last = bulk.span
        if any(first.date() <= day <= last.date() for day in self._held):
            bulk = bulk.without(self._known(bulk.call_ids, [first, last]))
        known = len(table.bulk.lines) - len(bulk.lines)
        if not bulk.lines:
            return Sent(new=0, known=known)
        reply = self._post(TABLE_PATH, msgspec.json.encode(bulk.columns))
        if reply.status in _CANNOT:
            sent = self._send_calls(table.singly(bulk), len(bulk.lines))
            return Sent(new=sent.new, known=sent.known + known)
        _check(reply, _OK)
        self._tables.append((reply.json()["offset"], len(bulk.lines)))
        return Sent(new=0, known=known)

    def _send_calls(self, calls: Sequence[Planned], planned: int) -> Sent:
        times = [call.time for call in calls if call.time is not None]
        known = self._known([call.call_id for call in calls], times)
        new = {call.call_id: call.event for call in calls if call.call_id not in known}
        if new:
            body = b"[" + b",".join(new.values()) + b"]"
            _check(self._post("/v1/events/batch", body), _CREATED)
        return Sent(new=len(new), known=planned - len(new))

    def _known(self, call_ids: Sequence[str], times: Sequence[datetime]) -> set[str]:
        span = {
            "from": _iso(min(times, default=None)),
            "to": _iso(max(times, default=None)),
        }
        known: set[str] = set()
        for some in _portions(call_ids):
            asked = {"call_ids": some, **span}
            known |= set(self._server.post(f"{self._app_path}/known-calls", asked)["known"])
        return known

    def _post(self, path: str, body: bytes) -> urllib3.BaseHTTPResponse:
        """Post until the server is neither busy nor away; not for long in the latter case."""
        away = 0
        for attempt in range(1, _TRIES):
            try:
                reply = self._ask(path, body)
            except urllib3.exceptions.HTTPError as err:
                away += 1
                if away == _TRIES_AWAY:
                    raise _unavailable("The server does not answer.") from err
                time.sleep(backoff_s(away))
                continue
            if reply.status != _BUSY:
                return reply
            time.sleep(retry_after_s(reply.headers) or backoff_s(attempt))
        return self._ask(path, body)

    def _ask(self, path: str, body: bytes) -> urllib3.BaseHTTPResponse:
        url = f"{self._server.url}{path}"
        return self._http.request("POST", url, body=body, headers=self._headers)


def _drained(waiting: deque[T]) -> Iterator[T]:
    while waiting:
        yield waiting.popleft()


def _check(reply: urllib3.BaseHTTPResponse, wanted: int) -> None:
    if reply.status != wanted:
        raise _unavailable(f"The server answered {reply.status} to a batch of calls.")


def _unavailable(message: str) -> UnavailableError:
    return UnavailableError(message, hint="Repeat the import: what has arrived is skipped.")


def _portions(items: Sequence[T]) -> Iterator[list[T]]:
    starts = range(0, len(items), _IDS_PER_QUESTION)
    return (list(items[start : start + _IDS_PER_QUESTION]) for start in starts)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
