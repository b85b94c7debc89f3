"""A captured call becomes an event that any Moesif-compatible collector takes."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.middleware.event import Body, Call, mask_headers, mask_query, to_event


def _body(raw: bytes, limit_bytes: int = 100_000) -> Body:
    body = Body(limit_bytes)
    body.keep(raw[:3])
    body.keep(raw[3:])
    return body


def _call(**changes: Any) -> Call:
    facts: dict[str, Any] = {
        "verb": "POST",
        "scheme": "https",
        "host": "10.0.0.1:80",
        "path": "/v2/labels",
        "query": "dry=1",
        "ip_address": "203.0.113.7",
        "began_s": 1_767_225_600.12,
        "ended_s": 1_767_225_600.188,
        "status": 201,
        "request_headers": [(b"Host", b"api.example.com"), (b"X-A", b"1"), (b"x-a", b"2")],
        "response_headers": [("Content-Type", "application/json")],
    }
    return Call(**{**facts, **changes})


def _sent(call: Call) -> Any:
    return msgspec.json.decode(msgspec.json.encode(to_event(call)))


def test_an_event_has_the_collectors_fields() -> None:
    """Times in UTC with milliseconds, lower-case headers, an absolute URI, an id of its own."""
    event = _sent(_call(user_id="u-1", metadata={"dc": "eu"}))
    assert len(event.pop("transaction_id")) == 36
    assert event == {
        "request": {
            "time": "2026-01-01T00:00:00.120Z",
            "uri": "https://api.example.com/v2/labels?dry=1",
            "verb": "POST",
            "headers": {"host": "api.example.com", "x-a": "1, 2"},
            "ip_address": "203.0.113.7",
        },
        "response": {
            "time": "2026-01-01T00:00:00.188Z",
            "status": 201,
            "headers": {"content-type": "application/json"},
        },
        "direction": "Incoming",
        "user_id": "u-1",
        "metadata": {"dc": "eu"},
    }


@pytest.mark.parametrize("raw", [b'{"weight_g": 420}', b' [1, {"a": null}]\n', b"{}"])
def test_json_bodies_stay_json(raw: bytes) -> None:
    """The text is passed on as it is."""
    request = _sent(_call(request_body=_body(raw)))["request"]
    assert request["body"] == msgspec.json.decode(raw)
    assert request["transfer_encoding"] == "json"


@pytest.mark.parametrize(
    "raw",
    [b"plain", b"{broken", b'{"a": "\xff"}', b'{"a": "\\ud800"}', b"\x1f\x8b\x00", b'{"a":1} x'],
)
def test_everything_else_is_base64(raw: bytes) -> None:
    """One odd body never spoils its batch."""
    request = _sent(_call(request_body=_body(raw)))["request"]
    assert base64.b64decode(request["body"]) == raw
    assert request["transfer_encoding"] == "base64"


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f'{{"a": "{text}'.encode()))
def test_any_body_makes_a_readable_event(raw: bytes) -> None:
    """Whatever bytes come, the batch stays valid JSON."""
    _sent(_call(request_body=_body(raw), response_body=_body(raw)))


def test_a_large_body_is_marked_and_not_kept() -> None:
    """Its size is told; its memory is free."""
    body = _body(b"x" * 101, limit_bytes=100)
    assert body.chunks == []
    response = _sent(_call(response_body=body))["response"]
    assert response["body"] == {"msg": "The body has 101 bytes and was not kept."}
    assert response["content_length"] == 101


def test_without_bodies_the_size_remains() -> None:
    """`capture_bodies=False` keeps nothing of them."""
    response = _sent(_call(response_body=_body(b"{}", limit_bytes=0)))["response"]
    assert "body" not in response
    assert response["content_length"] == 2


@pytest.mark.parametrize(
    "name",
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x_apikey",
     "x-auth-token", "x-csrf-token", "x-amz-security-token", "x-client-secret", "x-auth"],
)  # fmt: skip
def test_secret_headers_are_masked(name: str) -> None:
    """Their names stay, their values go."""
    assert mask_headers({name: "planted"}) == {name: "*masked*"}


def test_harmless_headers_stay() -> None:
    """An author is no authorization."""
    headers = {"x-author": "ann", "accept": "*/*", "content-type": "a/b"}
    assert mask_headers(headers) == headers


def test_secret_parameters_are_masked() -> None:
    """In the query string, wherever they stand."""
    assert mask_query("a=1&access_token=planted&b=2&apiKey=planted&q=token") == (
        "a=1&access_token=*masked*&b=2&apiKey=*masked*&q=token"
    )
