"""Measure the Tracking API: batches of messages, acknowledged when they are durable.

In: HEADWATER_BENCH_SECONDS (30). Out: messages a second, CPU of the server's process tree for each,
latency of the answers, at full load and at half of it. Every message is new and of about 600 bytes;
de-duplication is on. The load comes from this process, on the same machine.
"""

import base64
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.server import Server, serving

from benchmarks.http_load import Target, no_pause, pace, post_all
from benchmarks.process_tree import cpu_s, rss_bytes

SECONDS = float(os.environ.get("HEADWATER_BENCH_SECONDS", "30"))
_A_BATCH = 100
_CONNECTIONS = 16
_MESSAGE_BYTES = 600
_MOST_PER_S = 80_000
_OK = 200

Figures = dict[str, float]


def run() -> dict[str, object]:
    """Measure full load, then half of it, on one server."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        key = server.cli("sources", "add", "--type", "http-api", "--name", "Bench")["write_key"]
        bodies = make_batches(int(SECONDS * 1.5 * _MOST_PER_S / _A_BATCH))
        full = measure(server, key, bodies, SECONDS)
        half = measure(server, key, bodies, SECONDS / 3, per_s=full["acknowledged_per_s"] / 2)
        received = server.api("GET", "/api/v1/status")["streams"]["messages"]["last_offset"]
    return {
        "messages_per_batch": _A_BATCH,
        "message_bytes": len(make_message(0)),
        "log_entries": received,
        "full_load": full,
        "half_load": half,
    }


def make_message(number: int) -> str:
    """Return one track call as a server-side library sends it."""
    properties: dict[str, object] = {
        "route": "/v1/orders/:id", "status": 200, "latencyMs": number % 977 / 10,
    }  # fmt: skip
    message = {
        "type": "track", "event": "API Called", "userId": f"user-{number % 50_000}",
        "anonymousId": None, "messageId": f"bench-{number:012}",
        "timestamp": "2026-11-23T02:18:59.301+00:00",
        "properties": properties,
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}, "ip": "8.8.8.8"},
        "integrations": {},
    }  # fmt: skip
    padding = _MESSAGE_BYTES - len(json.dumps(message)) - len(', "note": ""')
    properties["note"] = "x" * max(padding, 0)
    return json.dumps(message)


def make_batches(count: int) -> Iterator[bytes]:
    """Yield bodies of batches, each message once; made while they are sent."""
    template = make_message(0)
    head, tail = template.split("bench-000000000000")
    for batch in range(count):
        first = batch * _A_BATCH
        items = [f"{head}bench-{number:012}{tail}" for number in range(first, first + _A_BATCH)]
        yield f'{{"batch":[{",".join(items)}],"sentAt":"2026-11-23T02:19:00.000Z"}}'.encode()


def measure(
    server: Server, key: str, bodies: Iterator[bytes], seconds: float, per_s: float = 0
) -> Figures:
    """Post for some seconds, as fast as the server answers or at a rate."""
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    target = Target(f"{server.url}/v1/batch", headers, wanted=_OK)
    pid = server.process.pid
    cpu_before_s, began_s = cpu_s(pid), time.perf_counter()
    wait = pace(per_s / _A_BATCH) if per_s else no_pause
    took_ms = sorted(post_all(target, bodies, seconds, _CONNECTIONS, wait))
    passed_s, messages = time.perf_counter() - began_s, len(took_ms) * _A_BATCH
    return {
        "seconds": round(passed_s, 1),
        "acknowledged_per_s": round(messages / passed_s),
        "server_cpu_us_per_message": round((cpu_s(pid) - cpu_before_s) / messages * 1e6, 1),
        "ack_p50_ms": round(took_ms[len(took_ms) // 2], 1),
        "ack_p99_ms": round(took_ms[int(len(took_ms) * 0.99)], 1),
        "memory_mb": rss_bytes(pid) // 1_000_000,
        "load_average": round(os.getloadavg()[0], 1),
    }
