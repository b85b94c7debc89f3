"""Measure what profiles cost: each call in ingest, each update, and the reading of people.

In: nothing. Out: CPU microseconds of this process, engine included. The cost of a call is that of
finding its owner, plus what the views of profiles add to its insert: the same calls are inserted
with these views and, in a second store, without. Bodies are left out: they cost the same in both.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
RANGES = 6
USERS, COMPANIES = 2_000, 100
UPDATES = 5_000
PAGE = 2_000
VIEWS = ("people_seen_view", "companies_seen_view", "company_days_view", "keys_seen_view")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def run() -> dict[str, object]:
    """Measure all of it, in some seconds."""
    set_up_logging("error")
    return asyncio.run(main())


async def main() -> dict[str, object]:
    ranges = make_ranges(random.Random(7))
    with tempfile.TemporaryDirectory() as folder:
        without_us = await insert_all(ranges, Path(folder) / "without", VIEWS)
        store = EventStore.open(EventStoreSettings(), Path(folder) / "with")
        owners_us = await find_owners(store, ranges)
        views_us = await insert_ranges(store, ranges) - without_us
        update_us = await fold_updates(store)
        reading = await read_people(store)
        store.close()
    return {
        "calls": CALLS_PER_RANGE * RANGES,
        "owner_us_per_call": round(owners_us, 2),
        "views_us_per_call": round(views_us, 2),
        "us_per_call": round(owners_us + views_us, 2),
        "us_per_update": round(update_us, 1),
        **reading,
    }


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


async def insert_all(ranges: Sequence[list[Call]], data: Path, dropped: Sequence[str]) -> float:
    store = EventStore.open(EventStoreSettings(), data)
    for view in dropped:
        await store.change(f"DROP VIEW {view}")
    try:
        return await insert_ranges(store, ranges)
    finally:
        store.close()


async def insert_ranges(store: EventStore, ranges: Sequence[list[Call]]) -> float:
    """Return the CPU microseconds of a call; the first range warms up."""
    began_s = 0.0
    for number, calls in enumerate(ranges):
        began_s = time.process_time() if number == 1 else began_s
        await store.insert_lines("landing", to_call_lines(calls), token=f"range-{number}")
    return per_call_us(began_s)


async def find_owners(store: EventStore, ranges: Sequence[list[Call]]) -> float:
    """Return the CPU microseconds of a call for learning its links and finding its owner."""
    identity = Identity(store, IdentitySettings())
    began_s = 0.0
    for number, calls in enumerate(ranges):
        began_s = time.process_time() if number == 1 else began_s
        heads = [call.head for call in calls]
        await identity.learn(heads, [], offset=number)
        await identity.attribute(heads)
    return per_call_us(began_s)


def per_call_us(began_s: float) -> float:
    return (time.process_time() - began_s) * 1e6 / (CALLS_PER_RANGE * (RANGES - 1))


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
