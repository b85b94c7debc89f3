"""An exporter gets the answers that OTLP over HTTP promises, in the form in which it sent."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from headwater.model import ApiCall, Reject
from tests.support.collector_door import Door, open_door
from tests.support.otlp import as_json, as_protobuf, log, logs, span, traces

NEW = {"http.request.method": "GET", "url.path": "/items/7", "http.response.status_code": 200}
BAD = {"http.request.method": "GET"}
BINARY, JSON = "application/x-protobuf", "application/json"
FORMS: list[tuple[str, Callable[[Mapping[str, Any]], bytes]]] = [
    (BINARY, as_protobuf),
    (JSON, as_json),
    ("application/json; charset=utf-8", as_json),
]
TAGS = ("x-moesif-config-etag", "x-moesif-rules-tag")


@pytest.mark.parametrize(("form", "write"), FORMS)
@pytest.mark.parametrize("base", ["", "/collector", "/collector/"])
@pytest.mark.parametrize("doubled", [False, True])
def test_spans_and_logs_are_taken_at_every_path_that_exporters_make(
    door: Door, form: str, write: Any, base: str, doubled: bool
) -> None:
    """With the prefix, and with the path twice; the answer to all that is good is empty."""
    for path, request in (
        ("/v1/traces", traces(span(NEW))),
        ("/v1/logs", logs(log(NEW))),
    ):
        url = base + path * (1 + doubled)
        reply = door.ask("POST", url, write(request), content_type=form)
        assert (reply.status, reply.data) == (200, b"" if form == BINARY else b"{}")
        assert reply.headers["content-type"] == form.partition(";")[0]
        assert all(reply.headers[tag] for tag in TAGS)
    assert [call.uri for call in door.only(ApiCall)] == ["/items/7"] * 2


def test_gzip_is_read(door: Door) -> None:
    """Exporters compress when they are told to."""
    body = gzip.compress(as_protobuf(traces(span(NEW))))
    reply = door.ask("POST", "/v1/traces", body, content_type=BINARY, content_encoding="gzip")
    assert (reply.status, len(door.only(ApiCall))) == (200, 1)


@pytest.mark.parametrize("form", [BINARY, "", "text/plain"])
def test_json_is_recognised_whatever_the_header_says(door: Door, form: str) -> None:
    """No binary request begins with a brace."""
    reply = door.ask("POST", "/v1/traces", as_json(traces(span(NEW))), content_type=form)
    assert (reply.status, len(door.only(ApiCall))) == (200, 1)


def test_what_was_refused_is_counted_in_the_answer(door: Door) -> None:
    """Partial success, with the first reason; the good ones are calls, the bad ones are rejects."""
    sent = traces(span(NEW), span(BAD), span(BAD, kind=3), span(NEW, kind=1))
    binary = door.ask("POST", "/v1/traces", as_protobuf(sent), content_type=BINARY)
    said = ExportTraceServiceResponse.FromString(binary.data).partial_success
    assert (binary.status, said.rejected_spans) == (200, 2)
    assert said.error_message.startswith("$.resourceSpans[0].scopeSpans[0].spans[1].attributes.")
    plain = door.ask("POST", "/v1/traces", as_json(sent), content_type=JSON)
    assert plain.json() == {
        "partialSuccess": {"rejectedSpans": "2", "errorMessage": said.error_message}
    }
    assert (len(door.only(ApiCall)), len(door.only(Reject))) == (2, 4)


def test_refused_log_records_are_counted_by_their_name(door: Door) -> None:
    """The response of logs has another field."""
    sent = logs(log({**BAD, "http.response.status_code": 200}))
    binary = door.ask("POST", "/v1/logs", as_protobuf(sent), content_type=BINARY)
    said = ExportLogsServiceResponse.FromString(binary.data).partial_success
    assert said.rejected_log_records == 1
    plain = door.ask("POST", "/v1/logs", as_json(sent), content_type=JSON)
    assert plain.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    assert [reject.kind for reject in door.only(Reject)] == ["log", "log"]


REFUSED = [
    ("no message", b"\xff\xff\xff", {}, 400, code_pb2.INVALID_ARGUMENT),
    ("not gzip", b"hello", {"content_encoding": "gzip"}, 400, code_pb2.INVALID_ARGUMENT),
    ("wrong key", b"", {"x_moesif_application_id": "w" * 64}, 401, code_pb2.UNAUTHENTICATED),
    ("no key", b"", {"x_moesif_application_id": ""}, 401, code_pb2.UNAUTHENTICATED),
    ("60 MB", b" " * 60_000_000, {}, 413, code_pb2.INVALID_ARGUMENT),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs/v1/logs"])
def test_errors_are_told_as_the_protocol_says(
    door: Door, path: str, body: bytes, headers: dict[str, str], status: int, code: int
) -> None:
    """A `google.rpc.Status` with a message, binary or JSON."""
    binary = door.ask("POST", path, body, content_type=BINARY, **headers)
    said = Status.FromString(binary.data)
    assert (binary.status, said.code) == (status, code)
    assert said.message
    assert binary.headers["content-type"] == BINARY
    plain = door.ask("POST", path, body, content_type=JSON, **headers)
    assert (plain.status, plain.json()["code"]) == (status, code)
    assert plain.json()["message"]
    assert door.records() == []


def test_an_empty_export_is_fine(door: Door) -> None:
    """Exporters with nothing to say send nothing but an envelope."""
    assert door.ask("POST", "/v1/traces", b"", content_type=BINARY).status == 200
    assert door.ask("POST", "/v1/traces", b"{}", content_type=JSON).status == 200
    assert door.records() == []


def test_a_full_log_asks_the_exporter_to_come_back(tmp_path: Path) -> None:
    """503 with Retry-After, which exporters obey."""
    with open_door(tmp_path, max_log_bytes=10) as door:
        reply = door.ask("POST", "/v1/traces", as_protobuf(traces(span(NEW))), content_type=BINARY)
        assert (reply.status, Status.FromString(reply.data).code) == (503, code_pb2.UNAVAILABLE)
        assert int(reply.headers["retry-after"]) > 0


def test_a_wrong_verb_is_told_the_right_one(door: Door) -> None:
    """405 with Allow."""
    reply = door.ask("GET", "/v1/traces")
    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_page_may_export_too(door: Door) -> None:
    """Preflight, and answers that pages of any site may read."""
    reply = door.http.request("OPTIONS", door.url + "/v1/traces", headers={"origin": "https://a"})
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (204, "*")
    reply = door.ask("POST", "/v1/traces", b"{}", content_type=JSON)
    assert reply.headers["access-control-allow-origin"] == "*"


def test_a_large_export_goes_through_a_thread(door: Door) -> None:
    """Every span of it is there, in order, once."""
    sent = [span({**NEW, "url.path": f"/{i}"}, spanId=f"{i:016x}") for i in range(1, 2_001)]
    body = as_protobuf(traces(*sent))
    assert len(body) > 256_000
    assert door.ask("POST", "/v1/traces", body, content_type=BINARY).status == 200
    calls = door.only(ApiCall)
    assert [call.uri for call in calls] == [f"/{i}" for i in range(1, 2_001)]
    assert len({call.call_id for call in calls}) == 2_000
