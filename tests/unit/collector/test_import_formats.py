"""Each format of access logs becomes events; which format a file has is found out or asked for."""

import io
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import CorruptError, InvalidInputError
from headwater.collector.imports import FORMATS, Planned, open_lines, plan_events

NGINX = {
    "time_iso8601": "2026-10-05T10:00:00+02:00", "remote_addr": "203.0.113.7", "remote_user": "ana",
    "request_method": "GET", "request_uri": "/v2/labels?page=2", "scheme": "https",
    "host": "api.parcel.example", "status": "200", "body_bytes_sent": "512",
    "request_time": "0.250", "http_user_agent": "curl/8.1", "request_id": "r1",
}  # fmt: skip
CADDY = {
    "level": "info", "ts": 1_775_000_000.5, "logger": "http.log.access", "msg": "handled request",
    "request": {
        "remote_ip": "203.0.113.7", "remote_port": "4242", "client_ip": "203.0.113.7",
        "proto": "HTTP/2.0", "method": "POST", "host": "api.parcel.example", "uri": "/v2/labels",
        "headers": {"User-Agent": ["curl/8.1"], "Accept": ["a", "b"]}, "tls": {"version": 772},
    },
    "user_id": "ana", "duration": 0.25, "size": 512, "status": 201,
    "resp_headers": {"Server": ["Caddy"]},
}  # fmt: skip
TRAEFIK = {
    "ClientHost": "203.0.113.7", "ClientUsername": "-", "DownstreamContentSize": 512,
    "DownstreamStatus": 404, "Duration": 250_000_000, "RequestHost": "api.parcel.example",
    "RequestMethod": "GET", "RequestPath": "/v2/labels", "RequestScheme": "https",
    "StartUTC": "2026-10-05T08:00:00.5Z", "request_User-Agent": "curl/8.1",
}  # fmt: skip
GATEWAY = {
    "requestId": "g1", "ip": "203.0.113.7", "caller": "-", "user": "-",
    "requestTime": "05/Oct/2026:08:00:00 +0000", "httpMethod": "GET",
    "resourcePath": "/labels/{id}",
    "status": "200", "protocol": "HTTP/1.1", "responseLength": "512",
}  # fmt: skip
GATEWAY_CLF = (
    b"203.0.113.7 - - [05/Oct/2026:08:00:00 +0000]"
    b'"GET /labels/{id} HTTP/1.1" 200 512 c6af9ac6-7b61-11e6-9a41-93e8deadbeef'
)
ALB = (
    b"h2 2026-10-05T08:00:00.400000Z app/edge/50dc6c495c0c9188 203.0.113.7:2817 10.0.0.1:80"
    b' 0.050 0.150 0.050 200 200 34 512 "GET https://api.parcel.example:443/v2/labels?page=2'
    b' HTTP/2.0" "curl/8.1" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:group/1'
    b' "Root=1-58337281-1d84f3d73c47ec4e58577259" "api.parcel.example" "arn:aws:cert/1" 1'
    b' 2026-10-05T08:00:00.100000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
)
HAR = {
    "startedDateTime": "2026-10-05T08:00:00.000Z", "time": 250,
    "request": {
        "method": "POST", "url": "https://api.parcel.example/v2/labels", "httpVersion": "HTTP/2",
        "headers": [{"name": "User-Agent", "value": "curl/8.1"}],
        "postData": {"mimeType": "application/json", "text": '{"weight": 2}'},
    },
    "response": {
        "status": 201, "headers": [{"name": "Server", "value": "x"}],
        "content": {"size": 4, "mimeType": "image/png", "text": "aGFsbG8=", "encoding": "base64"},
    },
}  # fmt: skip
MOESIF = {"request": {"time": "2026-10-05T08:00:00Z", "verb": "GET", "uri": "/a"}}
COMMON = b'203.0.113.7 - - [05/Oct/2026:08:00:00 +0000] "GET /a HTTP/1.1" 200 512'
COMBINED = COMMON + b' "-" "curl/8.1"'

SAMPLES: list[tuple[str, bytes]] = [
    ("combined", COMBINED), ("common", COMMON), ("alb", ALB),
    ("nginx", json.dumps(NGINX).encode()), ("caddy", json.dumps(CADDY).encode()),
    ("traefik", json.dumps(TRAEFIK).encode()), ("apigateway", json.dumps(GATEWAY).encode()),
    ("har", json.dumps(HAR).encode()), ("moesif", json.dumps(MOESIF).encode()),
]  # fmt: skip


def read(line: bytes, form: str = "auto") -> dict[str, Any]:
    """Return the event of a line that must be one."""
    (item,) = plan_events([line], form)
    assert isinstance(item, Planned), item
    event: dict[str, Any] = json.loads(item.event)
    return event


@pytest.mark.parametrize(("form", "line"), SAMPLES, ids=[form for form, _ in SAMPLES])
def test_every_format_is_recognised(form: str, line: bytes) -> None:
    """Named or not, the outcome is the same."""
    assert read(line) == read(line, form)


def test_nginx_lines_are_read() -> None:
    """Source: nginx.org, ngx_http_log_module and the index of variables."""
    event = read(json.dumps(NGINX).encode())
    assert event["request"] == {
        "time": "2026-10-05T08:00:00+00:00", "verb": "GET",
        "uri": "https://api.parcel.example/v2/labels?page=2",
        "headers": {"user-agent": "curl/8.1"}, "ip_address": "203.0.113.7",
    }  # fmt: skip
    assert event["response"] == {
        "time": "2026-10-05T08:00:00.250000+00:00", "status": "200",
        "headers": {"content-length": "512"},
    }  # fmt: skip
    assert (event["user_id"], event["trace_id"]) == ("ana", "r1")
    short = {"time_local": "05/Oct/2026:10:00:00 +0200", "remote_addr": "::1",
             "request": "GET /a b HTTP/1.1", "status": 200}  # fmt: skip
    assert read(json.dumps(short).encode())["request"]["uri"] == "/a b"


def test_caddy_lines_are_read() -> None:
    """Source: caddyserver.com, "How logging works"."""
    event = read(json.dumps(CADDY).encode())
    assert event["request"]["uri"] == "https://api.parcel.example/v2/labels"
    assert event["request"]["headers"] == {"user-agent": "curl/8.1", "accept": "a, b"}
    assert event["response"]["headers"] == {"content-length": "512", "server": "Caddy"}
    assert (event["user_id"], event["response"]["status"]) == ("ana", "201")


def test_traefik_lines_are_read() -> None:
    """Source: doc.traefik.io, access logs, available fields; durations are nanoseconds."""
    event = read(json.dumps(TRAEFIK).encode())
    assert event["request"]["uri"] == "https://api.parcel.example/v2/labels"
    assert event["request"]["headers"] == {"user-agent": "curl/8.1"}
    assert event["response"]["time"] == "2026-10-05T08:00:00.750000+00:00"
    assert "user_id" not in event


def test_load_balancer_lines_are_read() -> None:
    """Source: AWS documentation, access logs for your Application Load Balancer, syntax."""
    event = read(ALB)
    assert event["request"]["time"] == "2026-10-05T08:00:00.100000+00:00"
    assert event["request"]["uri"] == "https://api.parcel.example:443/v2/labels?page=2"
    assert event["request"]["ip_address"] == "203.0.113.7"
    assert event["response"]["time"] == "2026-10-05T08:00:00.350000+00:00"
    assert event["trace_id"] == "Root=1-58337281-1d84f3d73c47ec4e58577259"
    unanswered = read(ALB.replace(b"0.050 0.150 0.050", b"-1 -1 -1"))
    assert "time" not in unanswered["response"]


@pytest.mark.parametrize("line", [json.dumps(GATEWAY).encode(), GATEWAY_CLF], ids=["json", "clf"])
def test_gateway_lines_are_read(line: bytes) -> None:
    """Source: AWS documentation, API Gateway, log formats: the JSON and CLF examples."""
    event = read(line, "apigateway")
    assert (event["request"]["verb"], event["request"]["uri"]) == ("GET", "/labels/{id}")
    assert event["response"]["headers"] == {"content-length": "512"}
    assert event["request"]["headers"] == {}
    assert "user_id" not in event


def test_archives_are_read_with_their_bodies() -> None:
    """Source: the HAR 1.2 specification. JSON stays JSON, base64 stays base64."""
    archive = json.dumps({"log": {"version": "1.2", "entries": [HAR, HAR]}}, indent=1).encode()
    lines = list(open_lines(io.BytesIO(archive)))
    assert len(lines) == 2
    event = read(lines[0])
    assert event["request"]["body"] == {"weight": 2}
    assert (event["response"]["body"], event["response"]["transfer_encoding"]) == (
        "aGFsbG8=", "base64",
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="has no"):
        list(open_lines(io.BytesIO(b'{"log": {"version": "1.2"}}')))


@pytest.mark.parametrize("line", [b"hello", b"{}", b'{"a": ', b"\x00\xff\x00"])
def test_a_file_of_no_known_format_asks_for_its_name(line: bytes) -> None:
    """Guessing wrong would reject every line for a misleading reason."""
    with pytest.raises(InvalidInputError) as caught:
        list(plan_events([line]))
    assert "--format" in caught.value.hint


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compressed_files_are_read_member_by_member(codec: str) -> None:
    """As tools append them; a broken end gives what was there, and says so."""
    text = b"".join(b"line %d\n" % (n * n) for n in range(100_000))
    packed = pa.compress(text, codec, asbytes=True) if codec == "zstd" else _gzip(text)
    assert len(list(open_lines(io.BytesIO(packed + packed)))) == 200_000
    lines = open_lines(io.BytesIO(packed + packed[: len(packed) // 2]))
    taken: list[bytes] = []
    with pytest.raises(CorruptError, match="cannot be read to its end"):
        taken.extend(lines)
    assert len(taken) >= 100_000
    assert taken[-1] in text.splitlines()


def _gzip(text: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "gzip") as stream:
        stream.write(text)
    return bytes(sink.getvalue())


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.data(), st.sampled_from([(form, line) for form, line in SAMPLES if line[:1] == b"{"]))
def test_hostile_values_are_an_event_or_a_reject(data: Any, sample: tuple[str, bytes]) -> None:
    """Law: whatever stands in a member, its line is planned or rejected, never an accident."""
    form, line = sample
    facts = json.loads(line)
    facts[data.draw(st.sampled_from(sorted(facts)))] = data.draw(VALUES)
    assert len(list(plan_events([json.dumps(facts).encode()], form))) == 1


@given(st.binary(max_size=80), st.sampled_from(FORMATS[1:]))
def test_rubbish_is_an_event_or_a_reject(line: bytes, form: str) -> None:
    """Law: for every format."""
    assert len(list(plan_events([line], form))) == 1
