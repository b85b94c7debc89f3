"""Measure delivery: to a webhook one by one and in batches, beside a slow one, and while all wait.

In: HEADWATER_BENCH_FACTOR (1) of the number of messages. Out: messages a second and CPU for each;
the 99th percentile of the age of messages at a healthy destination, alone and beside one that takes
30 seconds to answer, by turns in one run; memory with a million messages waiting. A real log and a
real configuration database; the receiver is a process of its own, on the same machine. Messages are
of about 600 bytes, 100 in an entry of the log.
"""

import ast
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import urllib3
from tests.support.federation import Federation
from tests.support.messages import a_message

from benchmarks.process_tree import rss_bytes
from headwater.base.settings import ConfigDbSettings, EventLogSettings, FederationSettings
from headwater.base.telemetry import set_up_logging
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.destinations import Instance
from headwater.eventlog import open_event_log

FACTOR = float(os.environ.get("HEADWATER_BENCH_FACTOR", "1"))
_SINGLE, _BATCHED, _WAITING = (int(n * FACTOR) for n in (20_000, 200_000, 1_000_000))
_PER_ENTRY = 100
_BATCH = "500"
_SLOW_S = 30.0
_PACED_PER_S = 500
_TURNS = 4
_TURN_S = 10.0
_SETTLING_S = 2.0
_NOTE = "x" * 250
_LONG_S = 600.0


def run() -> dict[str, object]:
    """Measure all of it, each with a log and a database of its own."""
    set_up_logging("error")
    with _receiver() as url:
        return {
            "single": asyncio.run(_throughput(url, _SINGLE, "1")),
            "batched": asyncio.run(_throughput(url, _BATCHED, _BATCH)),
            "slow_neighbour": asyncio.run(_slow_neighbour(url)),
            "waiting": asyncio.run(_memory()),
            "load_average": round(os.getloadavg()[0], 1),
        }


@contextmanager
def _receiver() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.webhook_receiver", str(_SLOW_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


@asynccontextmanager
async def _house(settings: FederationSettings) -> AsyncIterator[Federation]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        configdb = ConfigDb.open(ConfigDbSettings(), data)
        migrate(configdb)
        log = await open_event_log(EventLogSettings(), data)
        house = Federation(configdb, Vault.open(data / "master.key"), log, settings)
        try:
            yield house
        finally:
            await house.close()
            await log.close()
            configdb.close()


async def _throughput(url: str, count: int, batch_size: str) -> dict[str, float]:
    """Deliver what waits, as fast as it goes."""
    async with _house(FederationSettings()) as house:
        instance = house.connect(url, batch_size=batch_size)
        await _fill(house, count)
        cpu_before_s, began_s = _cpu_s(), time.perf_counter()
        async with house.at_work():
            await house.until(instance, lambda s: s.delivered >= count, within_s=_LONG_S)
            seconds, cpu_s = time.perf_counter() - began_s, _cpu_s() - cpu_before_s
    return {
        "messages": count,
        "per_s": round(count / seconds),
        "cpu_us_per_message": round(cpu_s / count * 1e6, 1),
    }


async def _slow_neighbour(url: str) -> dict[str, float]:
    """Send at an even pace to a healthy destination, alone and beside a slow one, in turns.

    In turns, since a shared machine is not the same from one minute to the next.
    """
    settings = FederationSettings(timeout_s=_SLOW_S + 5)
    async with _house(settings) as alone, _house(settings) as beside:
        beside.connect(f"{url}/slow")
        houses = {"alone": alone, "beside": beside}
        healthy = {name: house.connect(url) for name, house in houses.items()}
        ages: dict[str, list[float]] = {name: [] for name in houses}
        for turn in range(_TURNS + 1):
            for name, house in houses.items():
                async with house.at_work():
                    await asyncio.sleep(_SETTLING_S)
                    await _paced(house, healthy[name], _TURN_S if turn else _SETTLING_S)
                    found = _ages_ms(url)
                if turn:  # the first connections are no measure
                    ages[name] += found
    p99 = {name: _at(sorted(of), 0.99) for name, of in ages.items()}
    return {
        "slow_answer_s": _SLOW_S,
        "paced_per_s": _PACED_PER_S,
        "turns": _TURNS,
        **{f"{name}_p50_ms": _at(sorted(of), 0.5) for name, of in ages.items()},
        **{f"{name}_p99_ms": of for name, of in p99.items()},
        "p99_times_alone": round(p99["beside"] / p99["alone"], 2),
    }


async def _paced(house: Federation, healthy: Instance, seconds: float) -> None:
    """Append entries at an even pace; return once the healthy destination has everything."""
    before = (await house.workers.status(healthy.id)).delivered
    entries = int(_PACED_PER_S * seconds / _PER_ENTRY)
    began_s = time.perf_counter()
    for number in range(entries):
        await _fill(house, _PER_ENTRY)
        due_s = began_s + (number + 1) * _PER_ENTRY / _PACED_PER_S
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
    goal = before + entries * _PER_ENTRY
    await house.until(healthy, lambda s: s.delivered >= goal, within_s=_LONG_S)


async def _memory() -> dict[str, float]:
    """Let a million messages wait for a destination that is away."""
    async with _house(FederationSettings(retry_first_s=0.1, retry_cap_s=1.0)) as house:
        instance = house.connect("http://127.0.0.1:9/away", batch_size=_BATCH)
        empty = rss_bytes(os.getpid())
        most = await _watch_until(_fill(house, _WAITING))
        filled = rss_bytes(os.getpid())
        async with house.at_work():
            most = max(most, await _watch_until(asyncio.sleep(20)))
            status = await house.workers.status(instance.id)
    return {
        "messages": _WAITING,
        "entries_in_the_log": status.behind_entries or 0,
        "in_the_database": status.waiting,
        "with_the_log_server_empty_mb": empty // 1_000_000,
        "with_the_log_server_filled_mb": filled // 1_000_000,
        "with_the_log_server_most_mb": most // 1_000_000,
    }


async def _watch_until(work: object) -> int:
    """Return the most memory of this process and the log's, seen while something is done."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload] # any awaitable
    most = 0
    while not task.done():
        most = max(most, rss_bytes(os.getpid()))
        await asyncio.sleep(0.2)
    await task
    return most


async def _fill(house: Federation, count: int) -> None:
    for first in range(0, count, _PER_ENTRY):
        now = house.clock.now()
        properties = {"sentNs": time.time_ns(), "note": _NOTE}
        messages = [
            a_message(
                f"bench-{now.timestamp():.6f}-{first + number}", source_id=house.source.id,
                received_at=now, type="track", event="API Called", userId=f"user-{number}",
                properties=properties,
            )
            for number in range(_PER_ENTRY)
        ]  # fmt: skip
        await house.append(messages)


def _ages_ms(url: str) -> list[float]:
    found: list[float] = ast.literal_eval(urllib3.request("GET", f"{url}/ages").data.decode())
    return found


def _at(ages_ms: list[float], share: float) -> float:
    return round(ages_ms[int(len(ages_ms) * share)], 1)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
