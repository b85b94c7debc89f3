"""The real `@segment/analytics-node` against the Tracking API; only `host` differs."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.npm import NODE
from tests.support.tracking_server import Fault, TrackingServer, tracking_server

SIX = ["identify", "track", "page", "screen", "group", "alias"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrackingServer]:
    with tracking_server(tmp_path) as running:
        yield running


@pytest.fixture
def run(server: TrackingServer, node_modules: Path) -> Any:
    """Run the customer's program; return the errors that the library told it."""

    def play(story: str, key: str = "", **options: Any) -> list[dict[str, str]]:
        told = {"host": server.url, "flushInterval": 200, **options}
        program = ["node", str(NODE / "segment_node_app.cjs"), key or server.source.write_key]
        done = subprocess.run(
            [*program, json.dumps(told), story], capture_output=True, text=True, timeout=60,
            check=True, env={**os.environ, "NODE_PATH": str(node_modules)},
        )  # fmt: skip
        errors: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
        return errors

    return play


def test_all_six_calls_arrive_whole(server: TrackingServer, run: Any) -> None:
    """Each once; what is the transport's own goes no further."""
    assert run("six") == []
    stored = server.messages()
    assert sorted(message.type for message in stored) == sorted(SIX)
    by_type = {message.type: message.body for message in stored}
    assert by_type["identify"]["traits"] == {"plan": "pro", "seats": 4.5}
    assert by_type["identify"]["context"]["ip"] == "203.0.113.7"
    assert by_type["track"]["properties"] == {"tags": ["a"]}
    assert by_type["page"]["properties"]["category"] == "Docs"
    assert by_type["alias"]["previousId"] == "old"
    for message in stored:
        assert message.body["context"]["library"]["name"] == "@segment/analytics-node"
        assert message.user_id == "u1"
        assert not {"_metadata", "writeKey"} & set(message.body)


def test_many_calls_come_in_several_batches_each_once(server: TrackingServer, run: Any) -> None:
    """250 calls of visitors without a user id."""
    assert run("250", flushAt=100) == []
    assert {m.body["properties"]["n"] for m in server.messages()} == set(range(250))
    assert len(server.messages()) == 250
    assert len(server.requests) >= 3


@pytest.mark.parametrize(
    "fault",
    [Fault(500), Fault(500, stored=True), Fault(429, {"retry-after": "1"}), Fault(503)],
    ids=["refused", "stored but not told", "too many", "not there"],
)
def test_after_trouble_every_message_is_there_once(
    server: TrackingServer, run: Any, fault: Fault
) -> None:
    """The library sends again with the same `messageId`."""
    server.faults.append(fault)
    assert run("six") == []
    assert Counter(message.type for message in server.messages()) == Counter(SIX)
    assert len(server.requests) == 2
    assert server.requests[1]["x-retry-count"] == "1"


def test_a_wrong_key_is_told_to_the_program(server: TrackingServer, run: Any) -> None:
    """As an error event, and nothing is stored."""
    errors = run("six", key="nobodys-key")
    assert [error["code"] for error in errors] == ["delivery_failure"] * len(errors)
    assert errors
    assert all("401" in error["text"] for error in errors)
    assert server.messages() == []


def test_a_path_of_the_programs_own_takes_batches_too(server: TrackingServer, run: Any) -> None:
    """With `path` set to `/v1/track` the library posts a batch there all the same."""
    assert run("six", path="/v1/track") == []
    assert Counter(message.type for message in server.messages()) == Counter(SIX)
