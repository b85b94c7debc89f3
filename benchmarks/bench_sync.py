"""Measure the Segment extension at the scale of a large API: who changed, sent to a receiver.

In: HEADWATER_BENCH_USERS (1,000,000), of whom every fifth changed. Out: how long a sync takes and
what it uses, how long one takes when nothing changed, how long a preview of one user takes. Then
the day ends, and all who called on it are due: what that takes, and how long a preview, as anything
small beside it, has to wait meanwhile. Store, configuration and outbox are the real ones; the
receiver is a process of its own on the loopback. The measured process does nothing else: its memory
before the sync is that of the engine at rest.
"""

import asyncio
import itertools
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar
from urllib.request import urlopen

import msgspec

from benchmarks.population import CHANGED_EVERY, Population, populate
from benchmarks.process_tree import cpu_s, rss_bytes
from headwater.base.clock import Clock, SystemClock
from headwater.base.egress import Egress
from headwater.base.settings import ConfigDbSettings, EventStoreSettings, ExtensionSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, Position, migrate, write_position
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.extensions import Extensions, Parts
from headwater.extensions.connections import move_watermark, save_connection
from headwater.extensions.segment.settings import SegmentSettings
from headwater.profiles import Profiles, last_complete_day
from headwater.workspace import App, create_app, list_apps

USERS = int(os.environ.get("HEADWATER_BENCH_USERS", "1000000"))
_KEY = "wk0123456789abcdef0123456789abcdef"
_WATCH_EVERY_S = 0.05
_TIMES = 9
_LOOK_EVERY_S = 0.5

Figures = dict[str, float]
T = TypeVar("T")


def run() -> dict[str, object]:
    """Fill a store, then measure in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        population = _in_fresh_process(fill, Path(folder))
        with _receiver() as url:
            figures = _in_fresh_process(measure, Path(folder), population, url)
            with urlopen(url) as answer:  # noqa: S310 - our own receiver
                received = msgspec.json.decode(answer.read())
    return {
        "users": population.users,
        "changed": population.changed,
        **figures,
        "received": received,
    }


def fill(folder: Path) -> Population:
    """Make an app and its users."""
    with closing(Bench(folder)) as bench:
        with bench.configdb.transaction() as connection:
            app = create_app(connection, bench.vault, bench.clock, "bench")[0]
        return asyncio.run(populate(bench.store, app.id, USERS, bench.clock.now()))


def measure(folder: Path, population: Population, url: str) -> dict[str, object]:
    """Sync what changed, then nothing, then look at one user."""
    with closing(Bench(folder)) as bench:
        return asyncio.run(bench.measure(population, url))


class Bench:
    """Everything behind one app, and no server around it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.vault = Vault.open(folder / "master.key")
        self.configdb = ConfigDb.open(ConfigDbSettings(), folder)
        migrate(self.configdb)
        self.store = EventStore.open(EventStoreSettings(), folder)

    async def measure(self, population: Population, url: str) -> dict[str, object]:
        """Return the figures of all three."""
        app = self._connect(population, url)
        egress = Egress("127.0.0.0/8")
        extensions = self._extensions(egress, url, self.clock)
        with Watch() as watch:
            result = await extensions.sync(app, "segment")
        nothing_s = [await _time_s(extensions.sync(app, "segment")) for _ in range(_TIMES)]
        users = [f"user-{place * CHANGED_EVERY:08}" for place in range(_TIMES)]
        preview_s = [await _time_s(extensions.preview(app, "segment", user)) for user in users]
        day_ended = await self._end_day(self._extensions(egress, url, NextDay()), app, users)
        await egress.close()
        return {
            "sync": {**watch.figures(), "delivered": result.delivered, "error": result.error},
            "day_ended": day_ended,
            "nothing_changed_s": round(statistics.median(nothing_s), 3),
            "preview_ms": round(statistics.median(preview_s) * 1000, 1),
            "load_average": os.getloadavg()[1],
        }

    def _extensions(self, egress: Egress, url: str, clock: Clock) -> Extensions:
        return Extensions(
            Parts(
                Profiles(self.store), self.configdb, MemoryLog(clock), self.vault, egress, clock,
                ExtensionSettings(), lambda: url,
            )
        )  # fmt: skip

    async def _end_day(
        self, extensions: Extensions, app: App, users: Sequence[str]
    ) -> dict[str, object]:
        """Sync on the next day, and look at one user after the other meanwhile."""
        previews_s: list[float] = []
        with Watch() as watch:
            syncing = asyncio.create_task(extensions.sync(app, "segment"))
            for user in itertools.cycle(users):
                if syncing.done():
                    break
                previews_s.append(await _time_s(extensions.preview(app, "segment", user)))
                await asyncio.sleep(_LOOK_EVERY_S)
            delivered = (await syncing).delivered
        return {
            **watch.figures(),
            "delivered": delivered,
            "cpu_us_per_user": round(watch.figures()["cpu_seconds"] * 1e6 / max(delivered, 1)),
            "preview_beside_ms": round(statistics.median(previews_s) * 1000),
            "preview_beside_most_ms": round(max(previews_s) * 1000),
        }

    def _connect(self, population: Population, url: str) -> App:
        """Connect the app, and let it be as after a sync before the change."""
        with self.configdb.transaction() as connection:
            app = list_apps(connection)[0]
            settings = SegmentSettings(endpoint=url)
            connected = save_connection(
                connection, self.vault, self.clock, app.id, "segment", settings, _KEY
            )
            day = last_complete_day(self.clock.now(), app.timezone)
            move_watermark(connection, connected.id, population.before, day)
            position = Position(population.last + 1)
            write_position(connection, self.clock, "ingest", Stream.CALLS, position)
        return app

    def close(self) -> None:
        """Let go of the engines."""
        self.store.close()
        self.configdb.close()


class NextDay(SystemClock):
    """Tells the time of tomorrow."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=1)


class Watch:
    """Measures what this process uses while a block runs."""

    def __enter__(self) -> Self:
        self._done = threading.Event()
        self._most_bytes = self._before_bytes = rss_bytes(os.getpid())
        self._cpu_s, self._began_s = cpu_s(os.getpid()), time.perf_counter()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds = time.perf_counter() - self._began_s
        self._cpu_s = cpu_s(os.getpid()) - self._cpu_s
        self._done.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._done.wait(_WATCH_EVERY_S):
            self._most_bytes = max(self._most_bytes, rss_bytes(os.getpid()))

    def figures(self) -> Figures:
        """Return time, processor time and memory."""
        return {
            "seconds": round(self._seconds, 2),
            "cpu_seconds": round(self._cpu_s, 2),
            "memory_most_mb": self._most_bytes // 1_000_000,
            "memory_of_sync_mb": (self._most_bytes - self._before_bytes) // 1_000_000,
        }


async def _time_s(work: Awaitable[object]) -> float:
    began_s = time.perf_counter()
    await work
    return time.perf_counter() - began_s


def _in_fresh_process(work: Callable[..., T], *args: object) -> T:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


@contextmanager
def _receiver() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.bulk_receiver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()
