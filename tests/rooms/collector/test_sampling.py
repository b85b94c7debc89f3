"""An operator's policy reaches clients with their next answer, and drops what nobody wants."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headwater.base.clock import SetClock
from headwater.base.telemetry import REGISTRY
from headwater.model import ApiCall, Reject
from headwater.workspace import read_sampling, set_sampling
from tests.support.collector_door import Door, open_door

TAGS = ("x-moesif-config-etag", "x-moesif-rules-tag")
HEALTH = {"conditions": [{"path": "request.route", "value": "^/health"}], "sample_rate": 0}
LATER = timedelta(seconds=3)
"""The door remembers an app for two seconds."""


@pytest.fixture
def clock() -> SetClock:
    """A clock that a test moves."""
    return SetClock(datetime(2026, 11, 23, 10, tzinfo=UTC))


@pytest.fixture
def door(tmp_path: Path, clock: SetClock) -> Iterator[Door]:
    """A door whose memory a test can let grow old."""
    with open_door(tmp_path, clock=clock) as opened:
        yield opened


def _set(door: Door, clock: SetClock, document: object) -> None:
    with door.db.transaction() as connection:
        set_sampling(connection, door.app_id, read_sampling(document))
    clock.move(LATER)


def _event(uri: str, **more: Any) -> dict[str, Any]:
    return {"request": {"uri": uri, "verb": "GET", "time": "2026-11-23T09:59:59Z"}, **more}


def _tags(door: Door, method: str, path: str, body: bytes | None = None) -> list[str]:
    reply = door.ask(method, path, body)
    return [reply.headers[tag] for tag in TAGS]


def test_clients_are_told_and_notice_a_change(door: Door, clock: SetClock) -> None:
    """Every rate is in the document as it was set; the tag of every answer changes with it."""
    before = _tags(door, "GET", "/v1/config")
    policy = {
        "sample_rate": 25, "user_sample_rate": {"u-81": 50}, "company_sample_rate": {"c-9": 0},
        "regex_config": [HEALTH],
    }  # fmt: skip
    _set(door, clock, policy)
    document = door.ask("GET", "/v1/config").json()
    assert {name: document[name] for name in policy} == policy
    assert document["user_rules"] == {}
    assert door.ask("GET", "/v1/rules").json() == []

    after = _tags(door, "GET", "/v1/config")
    assert (after[0] != before[0], after[1]) == (True, before[1])
    for method, path, body in (
        ("GET", "/v1/rules", None),
        ("POST", "/v1/events", b"{}"),
        ("POST", "/v1/events/batch", b"nonsense"),
        ("POST", "/v1/actions", b"[]"),
        ("GET", "/v1/events", None),
        ("POST", "/v1/nothing", b"{}"),
    ):
        assert _tags(door, method, f"/collector{path}", body) == after, path
    _set(door, clock, {})
    assert _tags(door, "GET", "/v1/config") == before


def test_what_a_rule_drops_reaches_no_log(door: Door, clock: SetClock) -> None:
    """It is counted by reason; its neighbours, bad ones included, are kept; clients see 201."""
    _set(door, clock, {"regex_config": [HEALTH], "user_sample_rate": {"u-81": 100}})
    counted = _dropped()
    batch = [
        _event("/health/live"), _event("/v1/items"), {"request": {}},
        _event("/health", user_id="u-81"), _event("/health", weight=4),
    ]  # fmt: skip
    assert door.post("/v1/events/batch", batch) == 201
    assert door.post("/v1/events", _event("/health")) == 201
    assert [(call.uri, call.user_id) for call in door.only(ApiCall)] == [
        ("/v1/items", ""), ("/health", "u-81"),
    ]  # fmt: skip
    assert len(door.only(Reject)) == 1
    assert _dropped() - counted == 3


def test_partial_rates_are_the_business_of_clients(door: Door, clock: SetClock) -> None:
    """Whatever arrives counts with its weight; a client that ignores the rate loses nothing."""
    _set(door, clock, {"sample_rate": 0, "regex_config": [{**HEALTH, "sample_rate": 25}]})
    assert door.post("/v1/events/batch", [_event("/health", weight=4), _event("/v1/items")]) == 201
    assert [call.weight for call in door.only(ApiCall)] == [4, 1]


def _dropped() -> float:
    labels = {"reason": "sampling_rule"}
    return REGISTRY.get_sample_value("headwater_ingest_calls_dropped_total", labels) or 0.0
