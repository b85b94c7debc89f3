"""A captured call becomes an event that any Moesif-compatible collector takes."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.middleware.call import Body, Call
from headwater.middleware.event import mask_headers, mask_query, to_event
from headwater.middleware.options import Options


def _body(raw: bytes, limit_bytes: int = 100_000) -> Body:
    body = Body(limit_bytes)
    body.keep(raw[:3])
    body.keep(raw[3:])
    return body


def _call(**changes: Any) -> Call:
    facts: dict[str, Any] = {
        "verb": "POST",
        "scheme": "https",
        "server": ("10.0.0.1", 80),
        "path": b"/v2/labels",
        "query": b"dry=1",
        "client_ip": "203.0.113.7",
        "began": 7.0,
        "ended": 7.068,
        "status": 201,
        "request_headers": [(b"Host", b"api.example.com"), (b"X-A", b"1"), (b"x-a", b"2")],
        "response_headers": [("Content-Type", "application/json")],
        "request_body": Body(0),
        "response_body": Body(0),
    }
    return Call(**{**facts, **changes})


def _sent(call: Call, weight: int = 1, **options: Any) -> Any:
    event = to_event(call, Options(application_id="a", **options), 1_767_225_593.12, weight)
    return msgspec.json.decode(msgspec.json.encode(event))


def test_an_event_has_the_collectors_fields() -> None:
    """Times in UTC with microseconds, lower-case headers, an absolute URI, an id of its own."""
    event = _sent(_call(user_id="u-1", metadata={"dc": "eu"}))
    assert len(event.pop("transaction_id")) == 36
    assert event == {
        "request": {
            "time": "2026-01-01T00:00:00.120000Z",
            "uri": "https://api.example.com/v2/labels?dry=1",
            "verb": "POST",
            "headers": {"host": "api.example.com", "x-a": "1, 2"},
            "ip_address": "203.0.113.7",
        },
        "response": {
            "time": "2026-01-01T00:00:00.188000Z",
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
    assert body.data == b""
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


def test_the_collector_may_do_all_masking() -> None:
    """Then fingerprints of secrets can be made there."""
    call = _call(query=b"token=t", request_headers=[(b"authorization", b"a")])
    assert _sent(call)["request"]["headers"] == {"authorization": "*masked*"}
    request = _sent(call, mask_secrets=False)["request"]
    assert request["headers"] == {"authorization": "a"}
    assert request["uri"].endswith("?token=t")


@pytest.mark.parametrize(
    ("scheme", "server", "expected"),
    [
        ("http", ("h", 8000), "http://h:8000/a"),
        ("http", ("h", 80), "http://h/a"),
        ("https", ("h", "443"), "https://h/a"),
        ("https", ("h", 80), "https://h:80/a"),
        ("http", ("/run/api.sock", None), "http://localhost/a"),
        ("http", ("::1", 8000), "http://[::1]:8000/a"),
        ("http", None, "http://localhost/a"),
    ],
)
def test_without_a_host_header_the_server_is_the_host(
    scheme: str, server: Any, expected: str
) -> None:
    """A port that goes without saying is left out; a Unix socket has no name."""
    call = _call(scheme=scheme, server=server, path=b"/a", query=b"", request_headers=[])
    assert _sent(call)["request"]["uri"] == expected


def test_a_path_is_escaped_once() -> None:
    """ASGI gives it as it came, WSGI not escaped, one character a byte."""
    escaped = "https://api.example.com/caf%C3%A9/100%25"
    came = _call(path=b"/caf%C3%A9/100%25", query=b"")
    from_wsgi = _call(path="/café/100%".encode().decode("latin-1"), query="")
    assert _sent(came)["request"]["uri"] == _sent(from_wsgi)["request"]["uri"] == escaped


def test_a_proxy_may_name_the_client() -> None:
    """Only the header that the application trusts counts."""
    headers = [(b"x-forwarded-for", b"198.51.100.1, 10.0.0.2")]
    call = _call(request_headers=headers)
    assert _sent(call)["request"]["ip_address"] == "203.0.113.7"
    sent = _sent(call, client_ip_header="X-Forwarded-For")
    assert sent["request"]["ip_address"] == "198.51.100.1"
    assert _sent(_call(), client_ip_header="x-forwarded-for")["request"]["ip_address"]


@pytest.mark.parametrize("facts", [{"verb": "HEAD"}, {"status": 204}, {"status": 304}])
def test_what_no_client_gets_is_no_body(facts: dict[str, Any]) -> None:
    """An application may give one all the same; servers leave it out."""
    assert "body" not in _sent(_call(response_body=_body(b"{}"), **facts))["response"]


def test_a_sampled_call_carries_its_weight() -> None:
    """And one that stands for itself alone does not."""
    assert _sent(_call(), weight=4)["weight"] == 4
    assert "weight" not in _sent(_call())


@pytest.mark.parametrize("chunk", [bytearray(b"{}"), memoryview(b"{}"), b"{}"])
def test_a_body_is_what_it_was_when_it_passed(chunk: Any) -> None:
    """A buffer that the application fills again changes nothing; text is the server's to refuse."""
    body = Body(10)
    body.keep(chunk)
    body.keep("text")
    if isinstance(chunk, bytearray):
        chunk[:] = b"xx"
    assert body.data == b"{}"
