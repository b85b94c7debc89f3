"""Hostile requests at every path that a running server describes: never a 5xx.

First as its own OpenAPI document describes them, doors included, by schemathesis; then at the
management and query API with bodies that nearly make sense, since most random ones are refused
before anything happens.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.bodies import BODIES
from tests.fuzz.effort import TIMEOUT_S, effort, tally
from tests.fuzz.hostile import anything, documents
from tests.support.server import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(TIMEOUT_S)]
Known = Mapping[str, str]


@schemathesis.serializer("application/x-protobuf")
def as_bytes(_: object, value: object) -> bytes:
    """A message that no exporter would send."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("web") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def known(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Make one of each thing, so that requests find something."""
    source = server.api("POST", "/api/v1/sources", {"type": "http-api", "name": "Website"})
    hook = {"type": "webhook", "source": source["slug"], "settings": {"url": "https://example.com"}}
    file = Path(tmp_path_factory.mktemp("warehouse")) / "w.duckdb"
    house = {"type": "duckdb", "settings": {"path": str(file)}}
    # Not the source that requests name: they rotate its key.
    door = server.api("POST", "/api/v1/sources", {"type": "http-api", "name": "Only for its key"})
    [app] = server.api("GET", "/api/v1/apps")["items"]
    some = {"name": "Some", "conditions": [{"field": "email", "op": "exists"}]}
    cohorts = f"/api/v1/apps/{app['app_id']}/cohorts"
    return {
        "app_id": app["app_id"],
        "cohort": server.api("POST", cohorts, some)["id"],
        "source": source["slug"],
        "destination_id": server.api("POST", "/api/v1/destinations", hook)["id"],
        "warehouse_id": server.api("POST", "/api/v1/warehouses", house)["id"],
        "type_": "segment",
        "kind": "events",
        "write_key": door["write_key"],
        "new_file": str(server.data / "other.duckdb"),
        "collector_application_id": server.cli("apps", "list")[0]["collector_application_id"],
    }


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    with tally(__name__) as counter:
        yield counter


def operations(server: Server) -> list[Any]:
    """Return what the server says that it can do."""
    schema = schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")
    found: list[Any] = list(schema.get_all_operations())
    return [operation.ok() for operation in found]


def keys_for(operation: Any, server: Server, known: Known) -> dict[str, str]:
    """Return the headers that open an operation's door."""
    pair = base64.b64encode(f"{known['write_key']}:".encode()).decode()
    return {
        "authorization": f"Bearer {server.card()['token']}"
        if operation.path.startswith("/api/")
        else f"Basic {pair}",
        "x-moesif-application-id": known["collector_application_id"],
    }


def filled(body: Mapping[str, Any], known: Known) -> Mapping[str, Any]:
    """Return a body with the keys of this server in their places."""
    places = {"{write_key}": known["write_key"], "{new_file}": known["new_file"]}
    text = json.dumps(body)
    for place, value in places.items():
        text = text.replace(place, json.dumps(value)[1:-1])
    found: Mapping[str, Any] = json.loads(text)
    return found


def is_of_others(answer: bytes) -> bool:
    """Tell whether an extension's receiver, of which there is none, could not be reached."""
    return b"could not be checked" in answer or b"cannot be reached" in answer


def ask(server: Server, counts: Counter[str], what: str, body: bytes) -> None:
    """Send a request as the owner; fail on a 5xx."""
    method, _, path = what.partition(" ")
    headers = {
        "authorization": f"Bearer {server.card()['token']}",
        "content-type": "application/json",
    }
    reply = server.ask(method, path, body, headers)
    counts[str(reply.status)] += 1
    fault = f"{what}: {reply.status} {reply.data[:500]!r}"
    assert reply.status < 500 or is_of_others(reply.data), fault


def test_no_described_operation_fails(server: Server, known: Known, counts: Counter[str]) -> None:
    """Valid and invalid requests alike; some name things that exist; answers are described ones."""
    for operation in operations(server):
        try_operation(operation, server, known, counts)


def try_operation(operation: Any, server: Server, known: Known, counts: Counter[str]) -> None:
    headers = keys_for(operation, server, known)
    described = {status[0] for status in operation.definition.raw["responses"]}

    @effort(15)
    @given(case=operation.as_strategy(), names_known=st.booleans())
    def try_it(case: Any, names_known: bool) -> None:
        if names_known:
            sent = case.path_parameters or {}
            case.path_parameters = {name: known.get(name, value) for name, value in sent.items()}
        reply = case.call(base_url=server.url, headers=headers)
        counts[str(reply.status_code)] += 1
        fault = f"{case.as_curl_command()}: {reply.content!r}"
        assert reply.status_code < 500 or is_of_others(reply.content), fault
        assert str(reply.status_code)[0] in described, case.as_curl_command()

    try_it()


def test_no_body_that_nearly_makes_sense_fails(
    server: Server, known: Known, counts: Counter[str]
) -> None:
    """Each body that we know, with some of its fields spoiled."""

    @effort(600)
    @given(data=st.data(), what=st.sampled_from(sorted(BODIES)))
    def try_it(data: st.DataObject, what: str) -> None:
        good = documents(filled(BODIES[what], known), {})
        body = data.draw(st.one_of(good, good, good, good, anything))
        ask(server, counts, what.format_map(known), body)

    try_it()


def test_the_bodies_are_good_before_they_are_spoiled(server: Server, known: Known) -> None:
    """Else the tests would only meet the first check of each route."""
    headers = {
        "authorization": f"Bearer {server.card()['token']}",
        "content-type": "application/json",
    }
    refused = {}
    for what, good in BODIES.items():
        method, _, path = what.format_map(known).partition(" ")
        reply = server.ask(method, path, filled(good, known), headers)
        if reply.status >= 400 and reply.status not in {404, 409}:  # nobody has called yet
            refused[what] = reply.data
    assert not refused


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("POST /api/v1/apps", b"[" * 5_000),
        ("POST /api/v1/apps", b'{"name": "\xed\xa0\x80"}'),
        (
            "POST /api/v1/apps/{app_id}/known-calls",
            b'{"call_ids": ["a"], "from": "0999-01-01T00:00"}',
        ),
    ],
    ids=["too deep", "not UTF-8", "year of three digits"],
)
def test_what_was_found_stays_mended(
    server: Server, known: Known, counts: Counter[str], what: str, body: bytes
) -> None:
    """The framework takes the first two for mistakes of ours, the engine cannot read the third."""
    ask(server, counts, what.format_map(known), body)


def test_every_operation_is_described(server: Server) -> None:
    """Routes that take a body and are not in our table would go untried."""
    named = {f"{op.method.upper()} {op.path}" for op in operations(server) if op.body}
    assert {name for name in named if " /api/" in name} <= set(BODIES)
