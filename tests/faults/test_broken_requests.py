"""Requests that break off, and the largest ones: nothing half, nothing twice, nothing lost."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults.load import stored_events
from tests.support.server import Server, serving

MOST_BYTES = 3_000_000
LIMITS = {"HEADWATER_COLLECTOR__MAX_BODY_BYTES": str(MOST_BYTES)}
BREAKS = 200
RST_AT_ONCE = b"\x01\x00\x00\x00\x00\x00\x00\x00"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data", LIMITS) as running:
        yield running


def event(id_: str, filler: str = "") -> dict[str, object]:
    request = {"verb": "GET", "uri": "https://api.example.com/items", "body": {"filler": filler}}
    return {"transaction_id": id_, "request": request}


def stored_ids(server: Server) -> list[str]:
    """Return the id of every stored call, one place each."""
    server.settle(within_s=60)
    [app] = server.cli("apps", "list")
    return [found["transaction_id"] for found in stored_events(server, app["app_id"])]


def post(server: Server, key: str, body: bytes) -> int:
    headers = {"x-moesif-application-id": key, "content-type": "application/json"}
    return server.ask("POST", "/v1/events/batch", body, headers).status


def break_off(server: Server, key: str, body: bytes, at: int, *, reset: bool) -> None:
    """Send the head and `at` bytes of the body, then go without a word."""
    to = urlsplit(server.url)
    head = (
        f"POST /v1/events/batch HTTP/1.1\r\nhost: a\r\nx-moesif-application-id: {key}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((to.hostname, to.port), timeout=10) as sock:
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_AT_ONCE)
        sock.sendall(head.encode() + body[:at])


def test_a_request_that_breaks_off_leaves_nothing(server: Server) -> None:
    """At any byte of its body, politely or by a reset; and the next one is served."""
    [app] = server.cli("apps", "list")
    key = app["collector_application_id"]
    body = json.dumps([event(f"half-{n}") for n in range(20)]).encode()
    for number in range(BREAKS):
        at = number * (len(body) - 1) // (BREAKS - 1)
        break_off(server, key, body, at, reset=number % 2 == 0)
    assert post(server, key, json.dumps([event("whole")]).encode()) == 201
    assert stored_ids(server) == ["whole"]


def test_a_batch_at_the_limit_is_whole_and_one_byte_more_is_refused(server: Server) -> None:
    """The largest batch is stored to its last event; what is larger leaves nothing at all."""
    [app] = server.cli("apps", "list")
    key = app["collector_application_id"]
    events = [event(f"large-{n}", "x" * 1_000) for n in range(2_500)]
    body = json.dumps(events).encode()
    assert len(body) < MOST_BYTES
    assert post(server, key, body + b" " * (MOST_BYTES - len(body) + 1)) == 413
    largest = body + b" " * (MOST_BYTES - len(body))
    assert post(server, key, largest) == 201
    assert post(server, key, largest) == 201
    assert sorted(stored_ids(server)) == sorted(f"large-{n}" for n in range(2_500))
