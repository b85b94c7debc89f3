"""Send the invented history through the real Collector API, the newest month first.

In: a demo, an address, a collector application id. Out: counts, and progress on the terminal.
Sending again adds nothing: every call carries an id that depends on the seed alone. 503 and 429
are waited out.
"""

import asyncio
import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import aiohttp
import msgspec

from headwater.base.errors import UnavailableError
from headwater.base.retry import backoff_s
from headwater.demo.history import Demo, company_profiles, user_profiles

_EVENTS_PER_POST = 500
_PROFILES_PER_POST = 500
_IN_FLIGHT = 4
_MOST_ATTEMPTS = 30
_CREATED = 201
_PERHAPS_LATER = {429, 500, 502, 503, 504}
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

    async def post(self, path: str, items: list[Any], *, backfill: bool = False) -> None:
        """Send one batch; try again while the server is busy. Raises `UnavailableError`."""
        body = gzip.compress(msgspec.json.encode(items), compresslevel=1)
        headers = {**self._headers, **({BACKFILL_HEADER: "1"} if backfill else {})}
        for attempt in itertools.count(1):
            async with self._session.post(self._url + path, data=body, headers=headers) as reply:
                if reply.status == _CREATED:
                    return
                if reply.status not in _PERHAPS_LATER or attempt == _MOST_ATTEMPTS:
                    raise UnavailableError(f"{path} answered {reply.status}.")
            await asyncio.sleep(backoff_s(attempt, first_s=0.2, cap_s=2.0))


async def load_history(
    demo: Demo, client: CollectorClient, on_day: Callable[[date, int], None]
) -> Loaded:
    """Send profiles, then the days from the newest to the oldest; `on_day` hears of each."""
    users, companies = user_profiles(demo.users), company_profiles(demo.users)
    for part in _parts(companies, _PROFILES_PER_POST):
        await client.post("/v1/companies/batch", part, backfill=True)
    for part in _parts(users, _PROFILES_PER_POST):
        await client.post("/v1/users/batch", part, backfill=True)
    slots = asyncio.Semaphore(_IN_FLIGHT)
    total = 0

    async def send(part: list[Any]) -> None:
        async with slots:
            await client.post("/v1/events/batch", part, backfill=True)

    for day in demo.days:
        calls = await asyncio.to_thread(demo.calls_of, day)
        async with asyncio.TaskGroup() as group:
            for part in _parts(calls, _EVENTS_PER_POST):
                group.create_task(send(part))
        total += len(calls)
        on_day(day, len(calls))
    return Loaded(calls=total, users=len(users), companies=len(companies))


def _parts(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    whole = iter(items)
    while part := list(itertools.islice(whole, size)):
        yield part
