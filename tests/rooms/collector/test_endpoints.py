"""Each line of the endpoint table: paths, forms, headers, and what clients make of them."""

import gzip
import json
import zlib
from typing import Any

import pytest

from headwater.model import Action, ApiCall, ProfileUpdate, Reject
from tests.support.collector_door import Door

EVENT = {"request": {"uri": "/v2/labels", "verb": "GET", "time": "2026-11-23T02:23:57.019"}}
ITEMS: dict[str, dict[str, Any]] = {
    "events": EVENT,
    "actions": {"action_name": "Created Key", "request": {"uri": "/keys"}},
    "users": {"user_id": "u-81"},
    "companies": {"company_id": "c-9"},
    "subscriptions": {"subscription_id": "s-1", "company_id": "c-9", "status": "active"},
}
KINDS = {"events": ApiCall, "actions": Action}
PATHS = [f"/v1/{name}{form}" for name in ITEMS for form in ("", "/batch")]


def _name(path: str) -> str:
    return path.split("/")[2]


@pytest.mark.parametrize("base", ["", "/collector"])
@pytest.mark.parametrize("path", PATHS)
def test_one_item_and_an_array_are_taken_at_either_form(door: Door, path: str, base: str) -> None:
    """201 with an empty body that says its length; a bad item costs only itself."""
    item = ITEMS[_name(path)]
    for sent in (item, [item, {"bad": True}, item], []):
        reply = door.ask("POST", base + path, json.dumps(sent).encode())
        assert (reply.status, reply.data, reply.headers["content-length"]) == (201, b"", "0")
        assert "content-type" not in reply.headers
    kind = KINDS.get(_name(path), ProfileUpdate)
    records = door.records()
    assert [type(record) for record in records] == [kind, kind, Reject, kind]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("Deflate", lambda data: zlib.compress(data, wbits=-15)),
    ],
    ids=["gzip", "zlib", "raw deflate"],
)
def test_every_endpoint_reads_compressed_bodies(
    door: Door, path: str, encoding: str, compress: Any
) -> None:
    """Clients compress events only, or all posts, in three ways."""
    body = compress(json.dumps(ITEMS[_name(path)]).encode())
    assert door.post(path, body, content_encoding=encoding) == 201
    assert len(door.records()) == 1


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", ""],
)
@pytest.mark.parametrize("path", PATHS)
def test_the_content_type_is_ignored(door: Door, path: str, content_type: str) -> None:
    """Documented commands send none, so curl says that it is a form."""
    body = json.dumps(ITEMS[_name(path)]).encode()
    assert door.post(path, body, content_type=content_type) == 201
    assert len(door.records()) == 1


@pytest.mark.parametrize("base", ["", "/collector"])
@pytest.mark.parametrize("path", [*PATHS, "/v1/config", "/v1/rules", "/v1/traces", "/v1/logs"])
def test_browsers_of_any_site_may_ask_first(door: Door, path: str, base: str) -> None:
    """A preflight needs no key, and the answer holds for a day."""
    asked = {
        "origin": "https://parcel.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-moesif-application-id,x-moesif-sdk",
    }
    reply = door.http.request("OPTIONS", door.url + base + path, headers=asked)
    assert (reply.status, reply.data) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in reply.headers
    assert {"GET", "POST"} <= set(reply.headers["access-control-allow-methods"].split(", "))
    allowed = set(reply.headers["access-control-allow-headers"].split(", "))
    assert set(asked["access-control-request-headers"].split(",")) <= allowed
    assert int(reply.headers["access-control-max-age"]) == 86_400


@pytest.mark.parametrize("path", ["/health/probe", "/collector/health/probe"])
def test_the_probe_needs_no_key(door: Door, path: str) -> None:
    """Libraries ask it before they have one."""
    reply = door.http.request("GET", door.url + path)
    assert (reply.status, reply.json()) == (200, {"status": True, "region": "local"})
    assert reply.headers["content-type"] == "application/json"


def test_the_key_is_read_whatever_its_header_is_called(door: Door) -> None:
    """Header names have no case; a query string is no place for a key."""
    body = json.dumps(EVENT).encode()
    for name in ("X-Moesif-Application-Id", "X-MOESIF-APPLICATION-ID"):
        headers = {name: door.key}
        reply = door.http.request("POST", door.url + "/v1/events", body=body, headers=headers)
        assert reply.status == 201
    url = f"{door.url}/v1/events?x-moesif-application-id={door.key}"
    assert door.http.request("POST", url, body=body).status == 401


def test_answers_are_plain_for_clients_that_would_take_others(door: Door) -> None:
    """Some offer Brotli and then fail to read it."""
    reply = door.ask("GET", "/v1/config", accept_encoding="gzip, compress, deflate, br")
    assert "content-encoding" not in reply.headers
    assert json.loads(reply.data)["sample_rate"] == 100


def test_the_sdk_is_known_by_its_own_header_or_its_user_agent(door: Door) -> None:
    """Browsers cannot set a User-Agent."""
    browser = "moesif-browser-js/1.8.13"
    door.post("/v1/actions", ITEMS["actions"], x_moesif_sdk=browser, user_agent="Mozilla/5.0")
    door.post("/v1/events", EVENT, user_agent="moesif-nodejs/3.11.0")
    (action,), (call,) = door.only(Action), door.only(ApiCall)
    assert (action.sdk, call.sdk) == (browser, "moesif-nodejs/3.11.0")


def test_an_unknown_visitor_is_taken_with_all_that_is_known(door: Door) -> None:
    """The page load of a browser: no user, perhaps an empty campaign; an answer without fault."""
    visitor = {"anonymous_id": "a-1", "campaign": {"utm_source": "news"}, "modified_time": None}
    assert door.post("/v1/users", visitor) == 201
    assert door.post("/v1/actions/batch", [ITEMS["actions"] | {"anonymous_id": "a-1"}]) == 201
    (update,), (action,) = door.only(ProfileUpdate), door.only(Action)
    assert (update.id, update.anonymous_id, action.anonymous_id) == ("", "a-1", "a-1")
    assert action.flags == ("time_missing", "time_approximate")


def test_a_correlation_header_is_no_key_of_de_duplication(door: Door) -> None:
    """A gateway and the application behind it share it, and each reports one call of its own."""
    headers = {"X-Moesif-Transaction-Id": "3c1d9d0e-7c9e-4a39-9a0b-2f2b3d1c7e11"}
    sent = {"request": {**EVENT["request"], "headers": headers}}
    assert door.post("/v1/events/batch", [sent, sent]) == 201
    one, other = door.only(ApiCall)
    assert one.call_id != other.call_id
    assert one.request_headers == {"x-moesif-transaction-id": headers["X-Moesif-Transaction-Id"]}


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("2026-11-23T02:23:57.019", 19), ("2026-11-23T02:23:57.019Z", 19),
        ("2026-11-23T04:23:57.019+02:00", 19), ("2026-11-23T02:23:57.019123456Z", 19),
        ("2026-11-23T02:23:57.7", 700), ("2026-11-23T02:23:57", 0), (1795400637019, 19),
    ],
)  # fmt: skip
def test_times_are_read_as_every_client_writes_them(
    door: Door, time: object, milliseconds: int
) -> None:
    """Without zone, with Z, with an offset, up to nanoseconds, as a number."""
    assert door.post("/v1/events", {"request": {**EVENT["request"], "time": time}}) == 201
    (call,) = door.only(ApiCall)
    assert call.flags == ()
    assert call.time.isoformat(timespec="milliseconds") == (
        f"2026-11-23T02:23:57.{milliseconds:03}+00:00"
    )
