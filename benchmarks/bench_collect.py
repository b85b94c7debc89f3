"""Measure the whole server under batches of events, as SDKs send them.

In: nothing. Out: events a second acknowledged durably, events a second until they can be queried,
CPU of the server's process tree per event. The load comes from this process, on the same machine.
"""

import asyncio
import gzip
import json
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from tests.support.server import Server, serving

SECONDS = 15.0
EVENTS_PER_BATCH = 50
CONNECTIONS = 8
BODY = {"items": [{"sku": f"s-{n}", "note": "x" * 60, "amount": n * 17} for n in range(9)]}


def run() -> dict[str, object]:
    """Post for some seconds, then wait until everything can be asked for."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        key = server.cli("apps", "list")[0]["collector_application_id"]
        cpu_before_s, began_s = _cpu_s(server), time.perf_counter()
        events, latencies_ms, event_bytes = asyncio.run(_post(server.url, key))
        acked_s = time.perf_counter() - began_s
        server.settle(within_s=300)
        queryable_s = time.perf_counter() - began_s
        cpu_s = _cpu_s(server) - cpu_before_s
    latencies_ms.sort()
    return {
        "events": events,
        "event_bytes": event_bytes,
        "acknowledged_per_s": round(events / acked_s),
        "queryable_per_s": round(events / queryable_s),
        "server_cpu_us_per_event": round(cpu_s / events * 1e6, 1),
        "ack_p50_ms": round(latencies_ms[len(latencies_ms) // 2], 1),
        "ack_p99_ms": round(latencies_ms[int(len(latencies_ms) * 0.99)], 1),
    }


async def _post(url: str, key: str) -> tuple[int, list[float], int]:
    batches = [_batch() for _ in range(20)]
    latencies_ms: list[float] = []
    end_s = time.perf_counter() + SECONDS
    headers = {"X-Moesif-Application-Id": key, "Content-Encoding": "gzip"}

    async def post(session: aiohttp.ClientSession, number: int) -> None:
        while time.perf_counter() < end_s:
            number += CONNECTIONS
            packed = gzip.compress(_with_ids(batches[number % len(batches)]), compresslevel=1)
            sent_s = time.perf_counter()
            async with session.post(
                f"{url}/v1/events/batch", data=packed, headers=headers
            ) as answer:
                assert answer.status == 201, await answer.text()
            latencies_ms.append((time.perf_counter() - sent_s) * 1000)

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(post(session, number))
    event_bytes = len(batches[0]) // EVENTS_PER_BATCH
    return len(latencies_ms) * EVENTS_PER_BATCH, latencies_ms, event_bytes


def _with_ids(body: bytes) -> bytes:
    parts = body.split(b"@ID@")
    ids = [str(uuid.uuid4()).encode() for _ in parts[1:]]
    return parts[0] + b"".join(one + part for one, part in zip(ids, parts[1:], strict=True))


def _batch() -> bytes:
    now = datetime.now(UTC).isoformat()
    headers = {"User-Agent": "shop-python/3.1.0", "Accept": "*/*", "X-Request": "r" * 40}
    event = {
        "request": {
            "time": now, "verb": "POST", "uri": "https://api.shop.example/v1/orders/812/items",
            "headers": headers, "ip_address": "192.0.2.7", "body": BODY,
        },
        "response": {"time": now, "status": 201, "headers": headers, "body": BODY},
        "user_id": "user_1", "company_id": "company_1", "transaction_id": "@ID@",
    }  # fmt: skip
    return json.dumps([event] * EVENTS_PER_BATCH).encode()


def _cpu_s(server: Server) -> float:
    """Return the CPU seconds of the server and its children (Linux)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if _belongs(int(stat.parent.name), server.process.pid):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def _belongs(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False
