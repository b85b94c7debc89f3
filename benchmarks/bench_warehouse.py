"""Measure loading: identifies and their users, from messages of the log into each warehouse.

In: HEADWATER_BENCH_IDENTIFIES (50,000) messages of 1.2 kB with 31 traits, each of another user, in
batches of 25,000. Out: rows a second (an identify is two rows: `identifies` and `users`) for each
engine that runs on this machine, everything counted: reading, sorting, typing, writing, folding. A
few were loaded before: the tables are there, and the libraries are in memory.
ClickHouse is chDB behind the tests' HTTP server, in the same process.
"""

import asyncio
import os
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from tests.rooms.warehouse.places import postgres_settings
from tests.rooms.warehouse.support import LOADED_AT, a_message, build_house
from tests.rooms.warehouse.worked_example import IDENTIFY
from tests.support.clickhouse_server import clickhouse_server

from headwater.base.clock import to_wire_time
from headwater.warehouse import show_settings

IDENTIFIES = int(os.environ.get("HEADWATER_BENCH_IDENTIFIES", "50000"))
_PER_ENTRY = 100
_BATCH = 25_000


def run() -> dict[str, object]:
    """Return the figures of all engines."""
    found: dict[str, object] = {"identifies": IDENTIFIES}
    for type_ in ("duckdb", "postgres", "clickhouse", "filesystem"):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            settings = _settings(type_, Path(folder), stack)
            found[type_] = asyncio.run(_measure(type_, settings, Path(folder)))
    return {**found, "load_average": os.getloadavg()[0]}


def _settings(type_: str, folder: Path, stack: ExitStack) -> dict[str, str]:
    if type_ == "postgres":
        its = postgres_settings()
        return {**show_settings(its), "password": its.password}
    if type_ == "clickhouse":
        port = urlsplit(stack.enter_context(clickhouse_server(folder / "clickhouse"))).port
        return {"host": "127.0.0.1", "port": str(port), "password": "pass@word"}
    return {}


async def _measure(type_: str, settings: dict[str, str], folder: Path) -> dict[str, Any]:
    house = build_house(folder, batch_messages=_BATCH)
    warehouse = await house.warehouses.add(type_=type_, settings=settings)
    await house.send(*(_identify(IDENTIFIES + n) for n in range(_PER_ENTRY)))
    await house.warehouses.sync(warehouse.id)
    for first in range(0, IDENTIFIES, _PER_ENTRY):
        await house.send(*(_identify(first + n) for n in range(_PER_ENTRY)))
    began_s = time.perf_counter()
    sync = await house.warehouses.sync(warehouse.id)
    seconds = time.perf_counter() - began_s
    house.configdb.close()
    rows = sum(sync.rows.values())
    assert rows == 2 * IDENTIFIES
    return {
        "rows_per_s": round(rows / seconds),
        "seconds": round(seconds, 2),
        "of_it_sorting_s": sync.prepare_s,
        "of_it_loading_s": sync.load_s,
    }


def _identify(number: int) -> Any:
    at = LOADED_AT + timedelta(milliseconds=17 * number)
    traits = {**IDENTIFY["traits"], "lastSeenTime": to_wire_time(at), "name": f"User {number}"}
    body = {**IDENTIFY, "messageId": f"m{number}", "userId": f"u{number}", "traits": traits}
    return msgspec.structs.replace(a_message(body, received_at=at, timestamp=at))
