"""Measure how fast the log acknowledges: entries/s, MB/s and latency, by size and by callers.

In: nothing. Out: figures by size and callers. Uses a log of its own in a temporary folder.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from headwater.base.settings import EventLogSettings
from headwater.base.telemetry import set_up_logging
from headwater.eventlog import EventLog, GroupCommit, Stream, open_event_log

RECORD_BYTES = 700


SECONDS_EACH = 2.0


def run() -> dict[str, object]:
    """Measure each size for some seconds."""
    set_up_logging("error")
    return asyncio.run(main(SECONDS_EACH))


async def main(seconds: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        log = await open_event_log(EventLogSettings(), Path(folder))
        result: dict[str, object] = {"seconds_each": seconds}
        for size_bytes, callers in ((100, 1), (100, 16), (45_000, 4), (500_000, 4)):
            data = os.urandom(size_bytes)
            name = f"append_{size_bytes}_bytes_by_{callers}"
            append = partial(log.append, Stream.CALLS, data)
            result[name] = await measure(append, callers, seconds, size_bytes)
        result["group_commit_700_bytes_by_1000"] = await measure_group_commit(log, seconds)
        result["read"] = await measure_read(log)
        await log.close()
    return result


async def measure(
    append: Callable[[], Awaitable[int]], callers: int, seconds: float, size_bytes: int
) -> dict[str, float]:
    """Let `callers` append one after the other; return rates and latencies."""
    took_s: list[float] = []
    began = time.perf_counter()

    async def call() -> None:
        while (at := time.perf_counter()) < began + seconds:
            await append()
            took_s.append(time.perf_counter() - at)

    await asyncio.gather(*(call() for _ in range(callers)))
    elapsed_s = time.perf_counter() - began
    cuts = statistics.quantiles(took_s, n=100)
    return {
        "per_s": round(len(took_s) / elapsed_s),
        "mb_per_s": round(len(took_s) * size_bytes / elapsed_s / 1e6, 1),
        "p50_ms": round(cuts[49] * 1e3, 2),
        "p99_ms": round(cuts[98] * 1e3, 2),
    }


async def measure_group_commit(log: EventLog, seconds: float) -> dict[str, float]:
    """Let a thousand requests of one record each share entries, as the collector's do."""
    commit = GroupCommit(log, Stream.MESSAGES)
    record = os.urandom(RECORD_BYTES).replace(b"\n", b" ")
    return await measure(partial(commit.append, [record]), 1_000, seconds, RECORD_BYTES)


async def measure_read(log: EventLog) -> dict[str, float]:
    """Read the whole stream in order, as a reader that fell behind does."""
    first, read_bytes, began = 1, 0, time.perf_counter()
    while entries := await log.read(
        Stream.CALLS, first, max_entries=1_000, max_bytes=32_000_000, wait_s=0
    ):
        first = entries[-1].offset + 1
        read_bytes += sum(len(entry.data) for entry in entries)
    elapsed_s = time.perf_counter() - began
    return {
        "entries_per_s": round((first - 1) / elapsed_s),
        "mb_per_s": round(read_bytes / elapsed_s / 1e6, 1),
    }
