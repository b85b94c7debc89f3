"""Stand between a client and a server, and write down what passes.

In: the server's address. Out: an address for the client, and every exchange, in the order in which
the requests came. Changes nothing on the way, so what is written down is what was sent.
"""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import urllib3

_OF_ONE_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@dataclass
class Exchange:
    """One request and its answer; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer_headers: dict[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """`POST /v1/events`."""
        return f"{self.method} {self.path}"

    @property
    def unpacked(self) -> bytes:
        """The request's body without compression."""
        packed = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.body) if packed else self.body

    @property
    def tags(self) -> tuple[str, str]:
        """What the answer said of the versions of configuration and rules."""
        names = ("x-moesif-config-etag", "x-moesif-rules-tag")
        config, rules = (self.answer_headers[name] for name in names)
        return config, rules


class Wiretap(ThreadingHTTPServer):
    """A relay; give its `url` to the client."""

    daemon_threads = True

    def __init__(self, server_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}"
        self.server_url = server_url
        self.exchanges: list[Exchange] = []
        self.pool = urllib3.PoolManager(retries=False, maxsize=32)


class _Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def relay(self) -> None:
        """Ask the server the same, and answer what it answered."""
        tap = cast("Wiretap", self.server)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        exchange = Exchange(self.command, self.path, headers, body)
        tap.exchanges.append(exchange)
        answer = tap.pool.request(
            self.command, tap.server_url + self.path, body=body or None,
            headers=_end_to_end(headers), decode_content=False, redirect=False,
        )  # fmt: skip
        exchange.status = answer.status
        exchange.answer_headers = {name.lower(): value for name, value in answer.headers.items()}
        self.send_response_only(answer.status)
        for name, value in _end_to_end(exchange.answer_headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)

    do_GET = do_POST = do_OPTIONS = relay  # noqa: N815 - names of the standard library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Say nothing: the exchanges are the log."""


def _end_to_end(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _OF_ONE_HOP}


@contextmanager
def tapping(server_url: str) -> Iterator[Wiretap]:
    """Relay to a server for the length of a block."""
    with Wiretap(server_url) as tap:
        thread = threading.Thread(target=tap.serve_forever, args=(0.05,), name="wiretap")
        thread.start()
        try:
            yield tap
        finally:
            tap.shutdown()
            thread.join()
            tap.pool.clear()
