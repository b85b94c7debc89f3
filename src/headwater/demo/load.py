"""Send the invented history through the real Collector API, the newest month first.

In: a demo, an address, a collector application id. Out: counts, and progress on the terminal.
Sending again adds nothing: every call carries an id that depends on the seed alone. 503 and 429
are waited out.
"""

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from typing import Any

import aiohttp
import msgspec

from headwater.base.errors import UnavailableError
from headwater.base.retry import backoff_s
from headwater.demo.history import Demo, company_profiles, user_profiles

_ITEMS_PER_POST = 500
_IN_FLIGHT = 4
_MOST_ATTEMPTS = 30
_CREATED = 201
_NO_ANSWER = 0
_PERHAPS_LATER = {_NO_ANSWER, 429, 500, 502, 503, 504}
BACKFILL_HEADER = "X-Headwater-Backfill"


class Loaded(msgspec.Struct, frozen=True):
    """What was sent."""

    calls: int
    users: int
    companies: int


class CollectorClient:
    """Posts batches to one Collector API."""

    def __init__(self, session: aiohttp.ClientSession, url: str, application_id: str) -> None:
        self._session = session
        self._url = url
        self._headers = {
            "X-Moesif-Application-Id": application_id,
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": "headwater-demo/1",
        }

    async def post(self, path: str, body: bytes, *, backfill: bool = False) -> None:
        """Send one packed batch; try again while the server is busy or away.

        Raises `UnavailableError` after many attempts.
        """
        headers = {**self._headers, **({BACKFILL_HEADER: "1"} if backfill else {})}
        for attempt in itertools.count(1):
            answer = await self._try(path, body, headers)
            if answer == _CREATED:
                return
            if answer not in _PERHAPS_LATER or attempt == _MOST_ATTEMPTS:
                raise UnavailableError(f"{path} answered {answer or 'nothing'}.")
            await asyncio.sleep(backoff_s(attempt, first_s=0.2, cap_s=2.0))

    async def _try(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            async with self._session.post(self._url + path, data=body, headers=headers) as reply:
                return reply.status
        except (aiohttp.ClientError, TimeoutError):
            return _NO_ANSWER


def pack(items: Sequence[Any]) -> bytes:
    """Return a batch as it goes over the wire."""
    return gzip.compress(msgspec.json.encode(items), compresslevel=1)


async def load_history(
    demo: Demo, client: CollectorClient, on_day: Callable[[date, int], None]
) -> Loaded:
    """Send profiles, then the days from the newest to the oldest; `on_day` hears of each."""
    users, companies = user_profiles(demo.users), company_profiles(demo.users)
    await _send_all(client, "/v1/companies/batch", _pack_all(companies))
    await _send_all(client, "/v1/users/batch", _pack_all(users))
    total = 0
    async for day in _invent_ahead(demo):
        await _send_all(client, "/v1/events/batch", day.batches)
        total += day.calls
        on_day(day.date, day.calls)
    return Loaded(calls=total, users=len(users), companies=len(companies))


class _Day(msgspec.Struct, frozen=True):
    date: date
    calls: int
    batches: list[bytes]


async def _invent_ahead(demo: Demo) -> AsyncIterator[_Day]:
    """Invent each day while the one before it is on its way."""
    coming = asyncio.create_task(asyncio.to_thread(_invent, demo, demo.days[0]))
    for following in demo.days[1:]:
        day = await coming
        coming = asyncio.create_task(asyncio.to_thread(_invent, demo, following))
        yield day
    yield await coming


def _invent(demo: Demo, day: date) -> _Day:
    calls = demo.calls_of(day)
    return _Day(day, len(calls), _pack_all(calls))


async def _send_all(client: CollectorClient, path: str, batches: Sequence[bytes]) -> None:
    slots = asyncio.Semaphore(_IN_FLIGHT)

    async def send(batch: bytes) -> None:
        async with slots:
            await client.post(path, batch, backfill=True)

    await asyncio.gather(*map(send, batches))


def _pack_all(items: Sequence[Any]) -> list[bytes]:
    return [
        pack(items[first : first + _ITEMS_PER_POST])
        for first in range(0, len(items), _ITEMS_PER_POST)
    ]
