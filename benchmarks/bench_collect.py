"""Measure the whole server under batches of events, as SDKs send them.

In: HEADWATER_BENCH_SECONDS (60). Out: events a second acknowledged durably and queryable, CPU and
memory of the server's process tree, acknowledgement latency at full load and at half of it, time
until a call can be queried, single posts, disk per event. Masking, de-duplication and all derived
tables are on. The load comes from this process, on the same machine, compressed beforehand.
"""

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

from tests.support.server import Server, serving

from benchmarks.corpus import EVENTS_PER_BATCH, Corpus
from benchmarks.http_load import Target, no_pause, pace, post_all
from benchmarks.process_tree import cpu_s, rss_bytes
from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore

SECONDS = float(os.environ.get("HEADWATER_BENCH_SECONDS", "60"))
_CONNECTIONS = 16
_SINGLE_CONNECTIONS = 64
_MOST_EVENTS_PER_S = 40_000
_WATCH_EVERY_S = 0.1
_CREATED = 201

Figures = dict[str, float]


def run() -> dict[str, object]:
    """Measure full load, half load and single posts, one after the other, on one server."""
    corpus = Corpus()
    batches = list(corpus.batches(int(SECONDS * _MOST_EVENTS_PER_S / EVENTS_PER_BATCH)))
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        load = Load(server, EVENTS_PER_BATCH)
        full = load.measure(iter(batches), SECONDS, _CONNECTIONS)
        half_per_s = full["acknowledged_per_s"] / 2
        supply = corpus.batches(int(half_per_s * SECONDS / 3 / EVENTS_PER_BATCH))
        half = load.measure(iter(list(supply)), SECONDS / 3, _CONNECTIONS, per_s=half_per_s)
        singles = list(corpus.singles(int(SECONDS / 6 * 20_000)))
        single = Load(server, 1).measure(iter(singles), SECONDS / 6, _SINGLE_CONNECTIONS)
        server.stop()
        disk = asyncio.run(_disk_bytes_per_event(server.data))
    return {
        "event_bytes": corpus.event_bytes,
        "events_per_batch": EVENTS_PER_BATCH,
        "full_load": full,
        "half_load": half,
        "single_posts": single,
        "disk_bytes_per_event": disk,
    }


class Load:
    """Clients that post as fast as the server answers, or at a given rate."""

    def __init__(self, server: Server, events_per_post: int) -> None:
        self._server = server
        self._events_per_post = events_per_post
        key = server.cli("apps", "list")[0]["collector_application_id"]
        kind = "events/batch" if events_per_post > 1 else "events"
        headers = {"X-Moesif-Application-Id": key, "Content-Type": "application/json"}
        if events_per_post > 1:
            headers["Content-Encoding"] = "gzip"
        self._target = Target(f"{server.url}/v1/{kind}", headers, wanted=_CREATED)

    def measure(
        self, posts: Iterator[bytes], seconds: float, connections: int, per_s: float = 0
    ) -> Figures:
        """Post for some seconds, then wait until everything can be asked for."""
        pid = self._server.process.pid
        wait = pace(per_s / self._events_per_post) if per_s else no_pause
        cpu_before_s, began_s = cpu_s(pid), time.perf_counter()
        with Watch(self._server) as watch:
            took_ms = post_all(self._target, posts, seconds, connections, wait)
        acked_s = time.perf_counter() - began_s
        self._server.settle(within_s=300)
        queryable_s = time.perf_counter() - began_s
        watch.look()
        events = len(took_ms) * self._events_per_post
        return {
            "seconds": round(acked_s, 1),
            "events": events,
            "acknowledged_per_s": round(events / acked_s),
            "queryable_per_s": round(events / queryable_s),
            "server_cpu_us_per_event": round((cpu_s(pid) - cpu_before_s) / events * 1e6, 1),
            "ack_p50_ms": round(_at(took_ms, 0.50), 1),
            "ack_p99_ms": round(_at(took_ms, 0.99), 1),
            **watch.figures(),
        }


class Watch:
    """Looks at the server's positions and memory again and again."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._rss: list[int] = []
        self._seen: list[tuple[float, int, int]] = []
        """When; the log's last offset; the first offset that cannot be asked for yet."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._over.wait(_WATCH_EVERY_S):
            self.look()

    def look(self) -> None:
        """Look once."""
        status = self._server.api("GET", "/api/v1/status")
        last = status["streams"]["calls"]["last_offset"]
        ahead = status["readers"].get("ingest", {}).get("next_offset", 1)
        self._seen.append((time.perf_counter(), last, ahead))
        self._rss.append(rss_bytes(self._server.process.pid))

    def figures(self) -> Figures:
        """Return how long calls took to become queryable, and the memory."""
        waits_s = list(self._waits_s())
        half = len(self._rss) // 2
        return {
            "queryable_after_p50_s": round(_at(waits_s, 0.50), 2),
            "queryable_after_p99_s": round(_at(waits_s, 0.99), 2),
            "memory_most_mb": max(self._rss) // 1_000_000,
            "memory_most_first_half_mb": max(self._rss[: half or 1]) // 1_000_000,
        }

    def _waits_s(self) -> Iterator[float]:
        later = iter(self._seen)
        at_s, ahead = 0.0, 0
        for seen_s, last, _ in self._seen:
            while ahead <= last:
                found = next(later, None)
                if found is None:
                    return
                at_s, _, ahead = found
            yield max(0.0, at_s - seen_s)


def _at(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)] if values else 0.0


async def _disk_bytes_per_event(data: Path) -> Figures:
    """Ask the store's own books, once the server has let go of it."""
    sql = (
        "SELECT table, sum(bytes_on_disk) AS size FROM system.parts"
        " WHERE active AND database = currentDatabase() GROUP BY table"
    )
    with closing(EventStore.open(EventStoreSettings(), data)) as store:
        sizes = {row["table"]: row["size"] for row in await store.select(sql)}
        [total] = await store.select("SELECT count() AS events FROM calls")
    bodies = sizes.pop("bodies")
    call_ids = sizes.pop("call_ids")
    per_event = {"columns": sum(sizes.values()), "call_ids": call_ids, "bodies": bodies}
    return {name: round(size / total["events"], 1) for name, size in per_event.items()}
