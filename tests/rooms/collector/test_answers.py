"""Whatever comes in, the answer is the documented one, and the door stays open."""

import gzip
import json
import socket
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from headwater.base.settings import CollectorSettings
from headwater.collector import CollectorApp
from headwater.model import ApiCall, ProfileUpdate, Reject
from tests.support.collector_door import Door, open_door

GOOD: dict[str, Any] = {
    "request": {"time": "2026-11-23T02:23:57.019", "uri": "/v2/labels", "verb": "GET"},
    "response": {"time": "2026-11-23T02:23:57.119", "status": 200},
    "user_id": "u-81",
}
GOOD_JSON = json.dumps(GOOD).encode()
TAGS = ("x-moesif-config-etag", "x-moesif-rules-tag")


def still_open(door: Door) -> bool:
    before = len(door.records())
    return door.post("/v1/events", GOOD) == 201 and len(door.records()) == before + 1


REFUSED = [
    ("not JSON", b"hello", {}, 400),
    ("empty", b"", {}, 400),
    ("cut short", b'[{"request":', {}, 400),
    ("no member is JSON", b"[nope, {a:1}]", {}, 400),
    ("UTF-16", json.dumps(GOOD).encode("utf-16"), {}, 400),
    ("not gzip", GOOD_JSON, {"content_encoding": "gzip"}, 400),
    ("gzip cut short", gzip.compress(GOOD_JSON)[:-9], {"content_encoding": "gzip"}, 400),
    ("unknown encoding", GOOD_JSON, {"content_encoding": "br"}, 400),
    ("gzip in gzip", gzip.compress(gzip.compress(GOOD_JSON)), {"content_encoding": "gzip"}, 400),
    ("wrong key", GOOD_JSON, {"x_moesif_application_id": "w" * 64}, 401),
    ("empty key", GOOD_JSON, {"x_moesif_application_id": ""}, 401),
    ("odd key", GOOD_JSON, {"x_moesif_application_id": "caf\xe9"}, 401),
    ("60 MB", b"[" + b" " * 60_000_000 + b"]", {}, 413),
    ("gzip bomb", gzip.compress(b" " * 100_000_000), {"content_encoding": "gzip"}, 413),
    ("deflate bomb", zlib.compress(b" " * 60_000_000), {"content_encoding": "deflate"}, 413),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_taken_is_refused_in_the_house_form(
    door: Door, body: bytes, headers: dict[str, str], status: int
) -> None:
    """With code, message, field and hint, with both tags and CORS; the next call is taken."""
    reply = door.ask("POST", "/v1/events/batch", body, **headers)
    assert reply.status == status
    assert set(reply.json()) == {"code", "message", "field", "hint"}
    assert all(reply.headers[tag] for tag in TAGS)
    assert reply.headers["access-control-allow-origin"] == "*"
    assert door.records() == []
    assert still_open(door)


def test_no_key_at_all_is_refused(door: Door) -> None:
    """The answer says where ids are shown, and never repeats a key."""
    reply = door.http.request("POST", door.url + "/v1/events", body=GOOD_JSON)
    assert (reply.status, reply.json()["code"]) == (401, "not_authenticated")


DEEP = b'{"request":{"uri":"/","verb":"GET","body":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
NULLS = json.dumps(dict.fromkeys((*GOOD, "metadata", "weight", "session_token"))).encode()
KEYS = json.dumps(
    {**GOOD, "request": {**GOOD["request"], "body": {f"k{i}": i for i in range(10_000)}}}
)
TAKEN = [
    ("one bad event", b'{"bad": true}', 1),
    ("null", b"null", 1),
    ("null everywhere", NULLS, 1),
    ("broken member", b'{"request": tru}', 1),
    ("wrong types", b'{"request": {"uri": [1], "verb": {}}}', 1),
    ("lone surrogate", b'{"request":{"uri":"/\\ud800","verb":"GET"},"user_id":"u\\udfff"}', 0),
    ("broken UTF-8", b'{"request":{"uri":"/\xff","verb":"GET"}}', 0),
    ("NaN", b'{"request":{"uri":"/","verb":"GET","body":{"x":NaN}},"metadata":{"y":-Infinity}}', 0),
    ("deep", DEEP, 1),
    ("10,000 keys", KEYS.encode(), 0),
    ("1 MB id", json.dumps({**GOOD, "user_id": "u" * 1_000_000}).encode(), 1),
    ("30 digits", b'{"request":{"uri":"/","verb":"GET"},"user_id":' + b"9" * 30 + b"}", 0),
]


@pytest.mark.parametrize(
    ("odd", "rejects"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN]
)
def test_an_odd_event_never_costs_its_batch(door: Door, odd: bytes, rejects: int) -> None:
    """201: the good ones are calls, the odd one is a call or a reject, none is missing."""
    body = b"[" + GOOD_JSON + b"," + odd + b"," + GOOD_JSON + b"]"
    reply = door.ask("POST", "/v1/events/batch", body)
    assert (reply.status, reply.data, reply.headers["content-length"]) == (201, b"", "0")
    assert len(door.only(Reject)) == rejects
    assert len(door.only(ApiCall)) == 3 - rejects
    assert still_open(door)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("identity", bytes),
    ],
    ids=["gzip", "deflate", "raw deflate", "identity"],
)
def test_compressed_bodies_are_read(door: Door, encoding: str, compress: object) -> None:
    """Gzip, and deflate with and without its wrapping."""
    assert callable(compress)
    assert door.post("/v1/events", compress(GOOD_JSON), content_encoding=encoding) == 201
    assert [call.user_id for call in door.only(ApiCall)] == ["u-81"]


@pytest.mark.parametrize("base", ["", "/collector", "/collector/", "//collector/"])
@pytest.mark.parametrize("end", ["", "/"])
def test_paths_are_forgiven(door: Door, base: str, end: str) -> None:
    """The prefix of the secure proxy, doubled slashes and trailing ones, as clients make them."""
    assert door.post(f"{base}/v1/events{end}", GOOD) == 201
    assert door.post(f"{base}//v1/users/batch{end}", [{"user_id": "u"}]) == 201
    assert door.post(f"{base}/v1/companies{end}", {"company_id": "c"}) == 201
    assert [type(record) for record in door.records()] == [ApiCall, ProfileUpdate, ProfileUpdate]
    assert door.ask("GET", f"{base}/health/probe{end}").json() == {
        "status": True,
        "region": "local",
    }


def test_single_and_batch_forms_are_taken_at_either_path(door: Door) -> None:
    """Clients differ; an object is one item and an array is many."""
    assert door.post("/v1/events", [GOOD, GOOD]) == 201
    assert door.post("/v1/events/batch", GOOD) == 201
    assert door.post("/v1/events/batch", []) == 201
    assert len(door.only(ApiCall)) == 3


def test_configuration_and_rules_are_consistent_and_every_answer_names_them(door: Door) -> None:
    """All keys are there, rates are whole numbers, and the tags are the same everywhere."""
    config, rules = door.ask("GET", "/v1/config"), door.ask("GET", "/v1/rules")
    assert config.headers["content-type"] == rules.headers["content-type"] == "application/json"
    assert rules.json() == []
    document = config.json()
    assert document["app_id"] == door.app_id
    assert type(document["sample_rate"]) is int
    assert set(document) == {
        "org_id", "app_id", "sample_rate", "block_bot_traffic", "user_sample_rate",
        "company_sample_rate", "user_rules", "company_rules", "ip_addresses_blocked_by_name",
        "regex_config", "billing_config_jsons",
    }  # fmt: skip
    others = [
        door.ask("POST", "/v1/events", GOOD_JSON),
        door.ask("POST", "/v1/events", b"nonsense"),
        door.ask("POST", "/v1/users", b'{"user_id":"u"}'),
    ]
    for reply in (rules, *others):
        assert [reply.headers[tag] for tag in TAGS] == [config.headers[tag] for tag in TAGS]


def test_a_wrong_verb_is_told_the_right_one(door: Door) -> None:
    """405 with Allow."""
    reply = door.ask("GET", "/v1/events/batch")
    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")
    reply = door.ask("POST", "/v1/config", b"{}")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", ["/collector/v1/nope", "/collector/v1"])
def test_what_is_not_there_is_told_what_is(door: Door, path: str) -> None:
    """404 with the list of paths."""
    reply = door.ask("POST", path, b"{}")
    assert (reply.status, reply.json()["code"]) == (404, "not_found")
    assert "/v1/events/batch" in reply.json()["hint"]


def test_a_browser_may_ask_first(door: Door) -> None:
    """Preflight without a key: method, headers and a long time to remember it."""
    reply = door.http.request(
        "OPTIONS", door.url + "/v1/users", headers={"origin": "https://a.example"}
    )
    assert (reply.status, reply.data) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "POST" in reply.headers["access-control-allow-methods"]
    allowed = reply.headers["access-control-allow-headers"]
    assert {"content-type", "x-moesif-application-id", "x-moesif-sdk"} <= set(allowed.split(", "))
    assert int(reply.headers["access-control-max-age"]) >= 3600


def test_a_full_log_means_503_and_come_back_later(tmp_path: Path) -> None:
    """What could not be made durable is not acknowledged."""
    with open_door(tmp_path, max_log_bytes=400) as door:
        statuses = [door.post("/v1/events", GOOD) for _ in range(4)]
        reply = door.ask("POST", "/v1/events", GOOD_JSON)
        assert (statuses[0], statuses[-1], reply.status) == (201, 503, 503)
        assert int(reply.headers["retry-after"]) > 0
        assert len(door.only(ApiCall)) == statuses.count(201)


def test_a_client_that_stops_sending_gets_an_answer(tmp_path: Path) -> None:
    """Half a body: 503 after the time-out, so that it is sent again; nothing is kept."""
    with open_door(tmp_path, settings=CollectorSettings(body_timeout_s=0.2)) as door:
        address = urlsplit(door.url)
        with socket.create_connection((address.hostname, address.port or 0), timeout=10) as wire:
            head = "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n"
            head += f"X-Moesif-Application-Id: {door.key}\r\n\r\n["
            wire.sendall(head.encode())
            assert wire.recv(100).startswith(b"HTTP/1.1 503")
        assert door.records() == []


def test_only_its_own_paths_belong_to_the_door() -> None:
    """The Tracking API and the pages share the port."""
    handles = CollectorApp.handles
    ours = ("/v1/events", "/collector/v1/anything", "/v1//users/batch/", "/v1/traces/v1/traces")
    others = ("/", "/v1/identify", "/v1/batch", "/collectors", "/api/v1/apps", "/v1/eventsx")
    assert all(handles(None, path) for path in ours)  # type: ignore[arg-type]  # needs no state
    assert not any(handles(None, path) for path in others)  # type: ignore[arg-type]


def test_history_is_marked_by_a_header(door: Door) -> None:
    """The importer and the demo say so; other senders cannot by accident."""
    assert door.post("/v1/events", GOOD, x_headwater_backfill="1") == 201
    assert door.post("/v1/events", GOOD) == 201
    assert [call.flags for call in door.only(ApiCall)] == [("backfill",), ()]


def test_many_calls_at_once_all_arrive(door: Door) -> None:
    """A large batch goes through a thread, small ones do not wait for it; every id is there."""
    batch = [
        {**GOOD, "transaction_id": f"t-{i}", "metadata": {"x": "y" * 300}} for i in range(3000)
    ]
    assert door.post("/v1/events/batch", batch) == 201
    assert [call.call_id for call in door.only(ApiCall)] == [f"t-{i}" for i in range(3000)]
