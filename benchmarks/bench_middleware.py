"""Measure what a capture middleware adds to each request of an API, ours beside its peers.

In: nothing. Out: for ASGI (Starlette) and WSGI (Flask) the microseconds of a request at full speed,
bare and captured by Headwater and by Moesif's middleware; and what each adds. Every figure is the
median of three processes, run in turn. CPU includes the background work up to a second after the
last request; who has not sent everything by then, has it cheaper.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = float(os.environ.get("HEADWATER_BENCH_SECONDS", "1.2"))
_LONGEST_S = 2.0
_RUNS = 3

Figures = dict[str, float]


def run() -> dict[str, object]:
    """Measure each gateway with each capture, three times in turn."""
    results: dict[str, object] = {}
    with _stub_collector() as url:
        for gateway in ("asgi", "wsgi"):
            runs: dict[str, list[Figures]] = {}
            for _ in range(_RUNS):
                for capture in ("bare", "headwater", "moesif"):
                    runs.setdefault(capture, []).append(_measure(gateway, capture, url))
            results[gateway] = _compare({name: _median(of) for name, of in runs.items()})
    return results


def _measure(gateway: str, capture: str, url: str) -> Figures:
    seconds = str(min(SECONDS, _LONGEST_S))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.middleware_host", gateway, capture, url, seconds],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True,
    )  # fmt: skip
    figures: Figures = json.loads(done.stdout)
    return figures


def _median(runs: list[Figures]) -> Figures:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _compare(figures: dict[str, Figures]) -> dict[str, Figures]:
    """Add what each capture adds to the bare request, and how that compares with ours."""
    bare, ours = figures["bare"], figures["headwater"]
    for name, of in figures.items():
        if name == "bare":
            continue
        for kind in ("p50_us", "p99_us", "cpu_us"):
            of[f"added_{kind}"] = of[kind] - bare[kind]
        if name != "headwater":
            added, least = of["added_p50_us"], ours["p50_us"] - bare["p50_us"]
            of["added_p50_times_ours"] = added / max(least, 0.1)
    return {
        name: {key: round(value, 1) for key, value in of.items()} for name, of in figures.items()
    }


class _Stub(BaseHTTPRequestHandler):
    """Takes everything, and says so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._reply(201, b"")

    def do_GET(self) -> None:
        rates = b'{"sample_rate": 100, "user_sample_rate": {}, "company_sample_rate": {}}'
        self._reply(200, rates if self.path.endswith("/config") else b"[]")

    def _reply(self, status: int, document: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(document)))
        self.end_headers()
        with contextlib.suppress(OSError):  # a host that has ended does not listen
            self.wfile.write(document)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _stub_collector() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stub) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
