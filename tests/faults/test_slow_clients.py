"""Slow and rude clients: they are cut, their memory is bounded, and nobody else notices them."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.faults.slow_clients import (
    Swarm,
    answers_not_taken,
    empty_lines,
    flood_of_headers,
    nothing,
    refused_body,
    slow_body,
    slow_head,
)
from tests.support.eventually import eventually
from tests.support.processes import processes
from tests.support.server import Server, serving
from tests.support.web import field_of

HEAD_S, BODY_S = 2.0, 4.0
LIMITS = {
    "HEADWATER_SERVER__HEAD_TIMEOUT_S": str(HEAD_S),
    "HEADWATER_SERVER__BODY_TIMEOUT_S": str(BODY_S),
    "HEADWATER_COLLECTOR__BODY_TIMEOUT_S": str(BODY_S - 1),
    "HEADWATER_SERVER__MAX_CONNECTIONS": "1500",
    "HEADWATER_SERVER__TRUSTED_PROXIES": "127.0.0.0/8",
}
SLACK_S = 3.0
CROWD = 150
EVENT = {"request": {"verb": "GET", "uri": "https://api.example.com/items/1"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with little patience."""
    with serving(tmp_path_factory.mktemp("slow") / "data", LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.cli("apps", "list")[0]["collector_application_id"])


def post_ms(server: Server, key: str) -> float:
    """Post one event on a connection of its own; return how long that took."""
    began = time.perf_counter()
    headers = {"x-moesif-application-id": key, "connection": "close"}
    assert server.ask("POST", "/v1/events", EVENT, headers).status == 201
    return (time.perf_counter() - began) * 1000


def memory_bytes(server: Server) -> int:
    """Return the resident memory of the server's first process."""
    return int(processes("rss")[server.process.pid]) * 1024


def slow_ones_cut(server: Server) -> int:
    """Return how many connections were cut for being slow."""
    text = server.ask("GET", "/metrics").data.decode()
    found = re.search(r'^headwater_connections_cut_total\{why="slow"\} (\d+)', text, re.MULTILINE)
    return int(found[1]) if found else 0


def test_hundreds_of_slow_clients_are_cut_and_harm_nobody(server: Server, key: str) -> None:
    """Six kinds of them at the same time; other clients are answered all the while."""
    end = time.monotonic() + 3
    while time.monotonic() < end:  # until the engines have taken what memory they take
        post_ms(server, key)
    before_bytes = memory_bytes(server)
    took_ms = []
    with Swarm(server.url) as swarm:
        for drip in (nothing, slow_head, empty_lines, refused_body):
            swarm.add(drip, CROWD)
        swarm.add(slow_body(key), CROWD)
        swarm.add(slow_body(key, "/api/v1/apps"), CROWD)
        end = time.monotonic() + BODY_S
        while time.monotonic() < end:
            took_ms.append(post_ms(server, key))
        grown_bytes = memory_bytes(server) - before_bytes
        swarm.wait_until_cut(BODY_S + SLACK_S)
    took_ms.sort()
    assert took_ms[len(took_ms) // 2] < 250, took_ms
    assert took_ms[-1] < 2_000, took_ms
    assert grown_bytes < 60_000_000


def test_a_body_that_stops_is_answered_before_it_is_cut(server: Server, key: str) -> None:
    """The collector says what was wrong, while the connection still is there."""
    with Swarm(server.url) as swarm:
        swarm.add(slow_body(key))
        swarm.wait_until_cut(BODY_S + SLACK_S)
        [client] = swarm.clients
    assert client.answer.startswith(b"HTTP/1.1 503 ")
    assert b"did not arrive within" in client.answer


def test_an_endless_head_is_refused(server: Server) -> None:
    """Soon after its limit of bytes, however fast it comes."""
    with Swarm(server.url, pause_s=0.05) as swarm:
        swarm.add(flood_of_headers)
        swarm.wait_until_cut(HEAD_S)
        [client] = swarm.clients
    assert client.sent_bytes < 2_000_000


def test_clients_that_take_no_answers_are_cut(server: Server) -> None:
    """Their unread answers do not stay with us."""
    before, before_bytes = slow_ones_cut(server), memory_bytes(server)
    with Swarm(server.url, reads=False) as swarm:
        swarm.add(answers_not_taken, 20)
        time.sleep(BODY_S / 2)
        assert slow_ones_cut(server) == before
        eventually(lambda: slow_ones_cut(server) == before + 20, BODY_S + SLACK_S)
    assert memory_bytes(server) - before_bytes < 100_000_000


def test_connections_beyond_the_limit_are_cut_at_once(server: Server, key: str) -> None:
    """And as soon as there is room again, everybody is served."""
    with Swarm(server.url) as swarm:
        swarm.add(nothing, 1_600)
        time.sleep(0.5)
        assert 80 <= sum(client.is_cut for client in swarm.clients) <= 400
        swarm.wait_until_cut(HEAD_S + SLACK_S)
    assert post_ms(server, key) < 2_000


def test_a_patient_client_is_not_cut(server: Server, key: str) -> None:
    """A kept connection may rest longer than a head or a body may take."""
    headers = {"x-moesif-application-id": key}
    assert server.ask("POST", "/v1/events", EVENT, headers).status == 201
    made = server.http.connection_from_url(server.url).num_connections
    time.sleep(BODY_S + SLACK_S)
    assert server.ask("POST", "/v1/events", EVENT, headers).status == 201
    assert server.http.connection_from_url(server.url).num_connections == made


def test_behind_a_proxy_each_client_is_itself(server: Server) -> None:
    """Messages carry its address, and one who guesses passwords locks nobody else out."""
    source = server.api("POST", "/api/v1/sources", {"type": "website", "name": "Site"})
    message = {"userId": "u", "traits": {}, "writeKey": source["write_key"]}
    lying = {"x-forwarded-for": "192.0.2.1, 203.0.113.7"}
    assert server.ask("POST", "/v1/i", message, lying).status == 200
    [stored] = server.api("GET", f"/api/v1/sources/{source['slug']}/messages")["messages"]
    assert stored["context"]["ip"] == "203.0.113.7"
    tries = [try_password(server, f"192.0.2.{n}, 203.0.113.7") for n in range(5)]
    assert tries == [401, 401, 401, 401, 429]
    assert try_password(server, "203.0.113.8") == 401


def try_password(server: Server, forwarded: str) -> int:
    """Guess at the login page, as a browser behind the proxy would."""
    form = server.ask("GET", "/login", headers={"accept": "text/html"})
    token = field_of(form.data.decode(), "form_token")
    fields = {"email": "ann@example.com", "password": "a guess", "form_token": token}
    headers = {
        "accept": "text/html",
        "content-type": "application/x-www-form-urlencoded",
        "cookie": form.headers["set-cookie"].partition(";")[0],
        "x-forwarded-for": forwarded,
    }
    return server.ask("POST", "/login", urlencode(fields).encode(), headers).status
