"""Measure what profiles cost: each call in ingest, each update, and the reading of people.

In: nothing. Out: CPU microseconds, engine included. The cost of a call is that of finding its owner
and of the views of profiles. Two processes have a store each, one of them without all that. They
take the same calls, range by range, in turns, so that what else the machine does meets both; the
figure is the median difference of a pair. Background merges count for the range they follow.
Bodies are left out: they cost the same in both.
"""

import asyncio
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
from msgspec import Raw

from headwater.base.settings import EventStoreSettings, IdentitySettings
from headwater.base.telemetry import set_up_logging
from headwater.eventlog import Entry
from headwater.eventstore import EventStore
from headwater.ingest.batch import decode_entries
from headwater.ingest.heads import Call
from headwater.ingest.rows import to_call_lines
from headwater.model import ApiCall, ProfileUpdate
from headwater.profiles import Identity, Profiles

CALLS_PER_RANGE = 20_000
RANGES = 16
WARM_UP = 2
"""Ranges that are not counted: links and caches are new."""
USERS, COMPANIES = 2_000, 100
UPDATES = 5_000
PAGE = 2_000
VIEWS = ("people_seen_view", "companies_seen_view", "company_days_view", "keys_seen_view")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

T = TypeVar("T")


def run() -> dict[str, object]:
    """Measure all of it, in half a minute."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Process(Path(folder) / "with", ()) as one,
        Process(Path(folder) / "without", VIEWS) as other,
    ):
        pairs = [take_turns(one, other, number) for number in range(RANGES)][WARM_UP:]
        rest = one.ask(Side.measure_rest)
    return {**describe(pairs), **rest}


class Spent(msgspec.Struct, frozen=True):
    """CPU microseconds of a call in one range."""

    total_us: float
    owners_us: float = 0.0


Pair = tuple[Spent, Spent]


def describe(pairs: Sequence[Pair]) -> dict[str, object]:
    """Return the differences: their median, where half of them lie, and their mean."""
    more = [one.total_us - other.total_us for one, other in pairs]
    low, median, high = statistics.quantiles(more, n=4)
    return {
        "calls": CALLS_PER_RANGE * len(pairs),
        "us_per_call": round(median, 2),
        "us_per_call_half_within": [round(low, 2), round(high, 2)],
        "us_per_call_mean": round(statistics.fmean(more), 2),
        "of_it_owner_us_per_call": round(statistics.median(o.owners_us for o, _ in pairs), 2),
        "without_profiles_us_per_call": round(statistics.median(o.total_us for _, o in pairs), 2),
    }


def take_turns(one: "Process", other: "Process", number: int) -> Pair:
    """Let both take a range, now the one first, now the other."""
    spent = {side: side.ask(Side.take, number) for side in ((one, other), (other, one))[number % 2]}
    return spent[one], spent[other]


class Side:
    """One store, and ranges of calls that are ready for it."""

    def __init__(self, data: Path, dropped: Sequence[str]) -> None:
        self.store = EventStore.open(EventStoreSettings(), data)
        self.identity = None if dropped else Identity(self.store, IdentitySettings())
        self.loop = asyncio.Runner()
        for view in dropped:
            self.loop.run(self.store.change(f"DROP VIEW {view}"))
        self.ranges = make_ranges(random.Random(7))
        self.spent_s = time.process_time()

    def take(self, number: int) -> Spent:
        """Store one range; what happened in the background since the last one counts too."""
        owners_us = self.loop.run(self._store(number))
        before_s, self.spent_s = self.spent_s, time.process_time()
        return Spent(per_call_us(self.spent_s - before_s), owners_us)

    async def _store(self, number: int) -> float:
        calls, owners_us = self.ranges[number], 0.0
        if self.identity is not None:
            began_s = time.process_time()
            heads = [call.head for call in calls]
            await self.identity.learn(heads, [], offset=number)
            await self.identity.attribute(heads)
            owners_us = per_call_us(time.process_time() - began_s)
        await self.store.insert_lines("landing", to_call_lines(calls), token=f"range-{number}")
        return owners_us

    def measure_rest(self) -> dict[str, float]:
        """Return what an update costs, and what a page of people."""
        update_us = self.loop.run(fold_updates(self.store))
        reading = self.loop.run(read_people(self.store))
        return {"us_per_update": round(update_us, 1), **reading}


class Process:
    """A side in a process of its own: an engine has one path in each process."""

    def __init__(self, data: Path, dropped: Sequence[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, context, _open_side, (data, dropped))

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def ask(self, question: Callable[..., T], *args: object) -> T:
        """Call a method of the side, and wait."""
        return self._pool.submit(_ask_side, question, *args).result()


_opened: list[Side] = []


def _open_side(data: Path, dropped: Sequence[str]) -> None:
    set_up_logging("error")
    _opened.append(Side(data, dropped))


def _ask_side(question: Callable[..., T], *args: object) -> T:
    return question(_opened[0], *args)


def make_ranges(draw: random.Random) -> list[list[Call]]:
    """Return calls of users with companies and sessions; every tenth is a visitor's."""
    return [
        decode_entries([Entry(n, b"\n".join(make_lines(draw, n)), NOON)]).calls
        for n in range(1, RANGES + 1)
    ]


def make_lines(draw: random.Random, range_number: int) -> list[bytes]:
    return [msgspec.json.encode(a_call(draw, range_number, n)) for n in range(CALLS_PER_RANGE)]


def a_call(draw: random.Random, range_number: int, n: int) -> ApiCall:
    user = draw.randrange(USERS)
    at = NOON + timedelta(minutes=range_number, milliseconds=3 * n)
    named: dict[str, Any] = {"user_id": f"user_{user}", "company_id": f"c_{user % COMPANIES}"}
    return ApiCall(
        app_id="app_1",
        call_id=f"call_{range_number}_{n}",
        time=at,
        received_at=at,
        verb="GET",
        uri="/v1/orders",
        route="/v1/orders",
        status=draw.choice((200, 200, 200, 404)),
        duration_ms=12.5,
        ip_address=f"192.0.2.{user % 250}",
        session_key=f"session_{user}",
        anonymous_id=f"browser_{user}",
        **({} if draw.random() < 0.1 else named),
    )


def per_call_us(spent_s: float) -> float:
    return spent_s * 1e6 / CALLS_PER_RANGE


async def fold_updates(store: EventStore) -> float:
    """Return the CPU microseconds of an update of a user who has a profile already."""
    profiles = Profiles(store)
    await profiles.fold(make_updates(0), token="updates-0")  # noqa: S106 - no secret
    began_s = time.process_time()
    await profiles.fold(make_updates(1), token="updates-1")  # noqa: S106 - no secret
    return (time.process_time() - began_s) * 1e6 / UPDATES


def make_updates(version: int) -> list[tuple[int, ProfileUpdate]]:
    at = NOON + timedelta(days=version)
    fields = {"plan": "pro", "seats": version, "city": "Oslo", "phone": "1", "title": "Engineer"}
    return [
        (
            version + 1,
            ProfileUpdate(
                app_id="app_1",
                kind="user",
                id=f"user_{n}",
                update_id=f"update_{version}_{n}",
                time=at,
                received_at=at,
                fields=Raw(
                    msgspec.json.encode(
                        {"metadata": {**fields, "email": f"user_{n}@example.com", "name": f"U {n}"}}
                    )
                ),
            ),
        )
        for n in range(UPDATES)
    ]


async def read_people(store: EventStore) -> dict[str, float]:
    """Return what a page of people costs, with all that is known of them."""
    profiles, ids = Profiles(store), [f"user_{n}" for n in range(PAGE)]
    await profiles.people("app_1", ids)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    await profiles.people("app_1", ids)
    return {
        "page_of_people": PAGE,
        "page_ms": round((time.perf_counter() - began_s) * 1e3, 1),
        "read_cpu_us_per_person": round((time.process_time() - began_cpu_s) * 1e6 / PAGE, 1),
    }
