"""A collector that records what the middleware sends, and answers as it is told."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Recorder(ThreadingHTTPServer):
    """Answers 201, or first the given statuses in turn."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.batches: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.connections = 0
        self.config: dict[str, Any] = {"sample_rate": 100}
        self.config_tag = "1"
        self.config_asked = 0
        self.retry_after = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]

    def wait_for(self, count: int, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """Return the events once there are `count`."""
        until = time.monotonic() + timeout_s
        while len(self.events) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.events) == count
        return self.events


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
        status = self.server.statuses.pop(0) if self.server.statuses else 201
        self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
        if status < 300:
            assert self.path == "/v1/events/batch"
            self.server.batches.append(json.loads(body))
        self._answer(status, b"")

    def do_GET(self) -> None:
        assert self.path == "/v1/config"
        self.server.config_asked += 1
        self._answer(200, json.dumps(self.server.config).encode())

    def _answer(self, status: int, document: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(document)))
        self.send_header("X-Moesif-Config-ETag", self.server.config_tag)
        if self.server.retry_after and status >= 300:
            self.send_header("Retry-After", self.server.retry_after)
        self.end_headers()
        self.wfile.write(document)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def collecting(port: int = 0) -> Iterator[Recorder]:
    """Run a recorder on a thread for a block."""
    with Recorder(port) as recorder:
        thread = threading.Thread(target=recorder.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield recorder
        finally:
            recorder.shutdown()
            thread.join()
