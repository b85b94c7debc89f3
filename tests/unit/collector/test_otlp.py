"""Spans and log records about HTTP calls become calls, whichever conventions they follow."""

import contextlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.collector.accept import Accepted
from headwater.collector.arrival import Arrival
from headwater.collector.otlp import Signal, accept_export
from headwater.collector.otlp.sampling import weight_of
from headwater.collector.secret_shapes import MARK
from headwater.model import ApiCall, Record, Reject
from tests.support.otlp import (
    BEGAN_NS,
    SPAN_ID,
    TRACE_ID,
    as_json,
    as_protobuf,
    log,
    logs,
    span,
    traces,
)  # fmt: skip

ARRIVAL = Arrival(
    app_id="app_1", received_at=datetime(2026, 11, 18, 12, tzinfo=UTC), ip_address="198.51.100.9",
    sdk="exporter/1.0",
)  # fmt: skip
BEGAN_AT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=BEGAN_NS // 1000)
BINARY, JSON = "application/x-protobuf", "application/json"
NEW = {"http.request.method": "GET", "url.path": "/items/7", "http.response.status_code": 200}


def accept(body: bytes, signal: Signal = Signal.SPAN, form: str = JSON) -> Accepted:
    arrival = msgspec.structs.replace(ARRIVAL, content_type=form)
    return accept_export(body, signal, arrival, Vault(b"k" * 32), 1_000_000)


def records_of(request: Mapping[str, Any], signal: Signal = Signal.SPAN) -> list[Record]:
    """Return the records; both forms of the request give the same."""
    found = []
    for form, body in ((JSON, as_json(request)), (BINARY, as_protobuf(request))):
        accepted = accept(body, signal, form)
        found.append([msgspec.json.decode(one, type=Record) for one in accepted.records])
    assert list(map(_without_made_ids, found[0])) == list(map(_without_made_ids, found[1]))
    return found[0]


def _without_made_ids(record: Record) -> Record:
    match record:
        case ApiCall() if not record.call_id.startswith(TRACE_ID):
            return msgspec.structs.replace(record, call_id="")
        case Reject():
            return msgspec.structs.replace(record, reject_id="", sample="")
        case _:
            return record


def call_of(attributes: Mapping[str, Any], resource: Any = None, **changes: Any) -> ApiCall:
    (record,) = records_of(traces(span(attributes, **changes), resource=resource))
    assert isinstance(record, ApiCall), record
    return record


def reject_of(request: Mapping[str, Any], signal: Signal = Signal.SPAN) -> Reject:
    (record,) = records_of(request, signal)
    assert isinstance(record, Reject), record
    return record


def test_every_fact_of_a_server_span_has_its_field() -> None:
    """New conventions: the whole call, with people, trace, route, metadata."""
    call = call_of(
        {
            "http.request.method": "POST",
            "url.scheme": "https",
            "server.address": "api.parcel.example",
            "server.port": 8443,
            "url.path": "/v2/labels/7",
            "url.query": "dry=1&api_key=planted",
            "http.route": "/v2/labels/{label_id}",
            "http.response.status_code": 422,
            "client.address": "203.0.113.7",
            "user_agent.original": "parcel-python/2.1.0",
            "http.request.header.content_type": ["application/json"],
            "http.request.header.authorization": ["Bearer planted"],
            "http.response.header.x-page": ["1", "2"],
            "http.request.body.size": 17,
            "http.response.body.size": 29,
            "enduser.id": "u-81",
            "company_id": 9,
            "subscription_id": "s-1",
            "enduser.pseudo.id": "visitor-1",
            "order.total": 12.5,
            "flags": ["a", True],
        },
        {"service.name": "labels", "deployment.environment": "prod"},
        parentSpanId="1111111111111111",
        traceState="ot=th:c",
        status={"code": 2, "message": "no such zip"},
        links=[{"traceId": "2" * 32, "spanId": "3" * 16}],
    )
    metadata, extra = msgspec.json.decode(call.metadata), msgspec.json.decode(call.extra)
    assert msgspec.structs.replace(call, metadata=call.metadata, extra=call.extra) == ApiCall(
        app_id="app_1",
        call_id=call.call_id,
        time=BEGAN_AT,
        received_at=ARRIVAL.received_at,
        verb="POST",
        uri=f"https://api.parcel.example:8443/v2/labels/7?dry=1&api_key={MARK}",
        status=422,
        duration_ms=42.0,
        user_id="u-81",
        company_id="9",
        anonymous_id="visitor-1",
        ip_address="203.0.113.7",
        weight=4,
        trace_id=TRACE_ID,
        sdk="exporter/1.0",
        request_headers={
            "content-type": "application/json",
            "authorization": MARK,
            "user-agent": "parcel-python/2.1.0",
        },
        response_headers={"x-page": "1, 2"},
        request_bytes=17,
        response_bytes=29,
        metadata=call.metadata,
        extra=call.extra,
        route="/v2/labels/{label_id}",
        user_agent="parcel-python/2.1.0",
    )
    assert call.call_id.startswith(f"{TRACE_ID}-{SPAN_ID}-")
    assert metadata == {
        "service": {"name": "labels"},
        "deployment": {"environment": "prod"},
        "order": {"total": 12.5},
        "flags": ["a", True],
    }
    assert extra == {
        "subscription_id": "s-1",
        "span": {
            "id": SPAN_ID, "parent_id": "1111111111111111", "name": "a span", "kind": "server",
            "status": 2, "status_message": "no such zip", "scope": "instrumentation/1.2",
            "links": [{"trace_id": "2" * 32, "id": "3" * 16}],
        },
    }  # fmt: skip


OLD = {"http.method": "GET", "http.status_code": 200}
URIS: list[tuple[str, int, dict[str, Any], str]] = [
    ("new, path only", 2, NEW, "/items/7"),
    ("new, default port", 2,
     {**NEW, "url.scheme": "https", "server.address": "a.example", "server.port": 443},
     "https://a.example/items/7"),
    ("new, IPv6", 2, {**NEW, "server.address": "::1", "server.port": 80}, "http://[::1]/items/7"),
    ("new, client", 3, {"http.request.method": "GET", "url.full": "https://b.example/x?y=1"},
     "https://b.example/x?y=1"),
    ("old, target and host", 2,
     {**OLD, "http.scheme": "https", "http.host": "a.example:8080", "http.target": "/items/7?x=1"},
     "https://a.example:8080/items/7?x=1"),
    ("old, net.host", 2,
     {**OLD, "http.scheme": "http", "net.host.name": "a.example", "net.host.port": 8000,
      "http.target": "/items"}, "http://a.example:8000/items"),
    ("old, url", 2, {**OLD, "http.url": "http://a.example/items/7", "http.target": "/items/7"},
     "http://a.example/items/7"),
    ("old, request line of a proxy", 2, {**OLD, "http.target": "http://a.example/x"},
     "http://a.example/x"),
    ("old, client in parts", 3,
     {**OLD, "net.peer.name": "b.example", "net.peer.port": 443, "http.target": "/x"},
     "https://b.example/x"),
    ("both, new ones win", 2, {**OLD, **NEW, "http.target": "/old"}, "/items/7"),
    ("a query that holds a URL", 2, {**OLD, "http.target": "/go?to=http://a.example"},
     "/go?to=http://a.example"),
    ("only the route is known", 2, {**OLD, "http.route": "items/<int:id>/"}, "items/<int:id>/"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "attributes", "uri"), [row[1:] for row in URIS], ids=[row[0] for row in URIS]
)
def test_uris_are_whole_or_put_together(kind: int, attributes: dict[str, Any], uri: str) -> None:
    """From what server and client spans carry, by new and by old names."""
    call = call_of(attributes, kind=kind)
    assert call.uri == uri
    assert call.direction == ("Incoming" if kind == 2 else "Outgoing")


def test_names_before_the_stable_conventions_are_known() -> None:
    """Verb, status, sizes, caller, user agent, as instrumentations wrote them until 2023."""
    call = call_of(
        {
            "http.method": "PUT",
            "http.target": "/x",
            "http.status_code": "201",
            "http.client_ip": "203.0.113.7",
            "http.user_agent": "old/1",
            "http.request_content_length": 5,
            "http.response_content_length": 6,
            "net.peer.ip": "10.0.0.1",
            "user.id": "u-1",
        }
    )
    assert (call.verb, call.status, call.ip_address) == ("PUT", 201, "203.0.113.7")
    assert (call.request_bytes, call.response_bytes, call.user_id) == (5, 6, "u-1")
    assert call.request_headers == {"user-agent": "old/1"}
    assert msgspec.json.decode(call.metadata) == {"net": {"peer": {"ip": "10.0.0.1"}}}


def test_a_peer_is_the_caller_of_a_server_only() -> None:
    """Never the exporter, and never the server that an outgoing call went to."""
    peer = {**NEW, "url.full": "https://b.example/", "network.peer.address": "203.0.113.9"}
    assert call_of(peer).ip_address == "203.0.113.9"
    assert call_of(peer, kind=3).ip_address == ""
    assert call_of(NEW).ip_address == ""


def test_an_unusual_verb_is_read_from_beside() -> None:
    """Instrumentations say `_OTHER`, to keep the variety low."""
    unusual = {"http.request.method": "_OTHER", "http.request.method_original": "PURGE"}
    assert call_of({**NEW, **unusual}).verb == "PURGE"


NO_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("internal", span(NEW, kind=1)),
    ("no kind", span(NEW, kind=0)),
    ("consumer", span(NEW, kind=5)),
    ("database", span({"db.system": "postgresql"}, kind=3)),
    ("rpc", span({"rpc.system": "grpc"}, kind=2)),
]


@pytest.mark.parametrize("other", [row[1] for row in NO_CALLS], ids=[row[0] for row in NO_CALLS])
def test_other_spans_are_taken_and_not_kept(other: dict[str, Any]) -> None:
    """They are counted, and nothing is said against them."""
    for form, write in ((JSON, as_json), (BINARY, as_protobuf)):
        accepted = accept(write(traces(other, span(NEW))), form=form)
        assert (len(accepted.records), accepted.rejected, accepted.ignored) == (1, 0, 1)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no path", {"http.request.method": "GET"}, "url.path"),
    ("status is no number", {**NEW, "http.response.status_code": "ok"},
     "http.response.status_code"),
    ("status of four digits", {**NEW, "http.response.status_code": 1000},
     "http.response.status_code"),
    ("user id too long", {**NEW, "enduser.id": "u" * 600}, "enduser.id"),
    ("a list as company", {**NEW, "company_id": ["a"]}, "company_id"),
    ("verb too long", {**NEW, "http.request.method": "G" * 40}, "http.request.method"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "field"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_span_that_cannot_be_understood_costs_only_itself(
    attributes: dict[str, Any], field: str
) -> None:
    """It is a reject with its place, and the first reason goes back to the exporter."""
    place = f"$.resourceSpans[0].scopeSpans[0].spans[1].attributes.{field}"
    good, rejected = records_of(traces(span(NEW), span(attributes)))
    assert isinstance(good, ApiCall)
    assert isinstance(rejected, Reject)
    assert (rejected.kind, rejected.field) == ("span", place)
    assert SPAN_ID in rejected.sample
    accepted = accept(as_json(traces(span(NEW), span(attributes))))
    assert accepted.rejected == 1
    assert accepted.reason.startswith(f"{place}: ")


ODD: list[tuple[str, dict[str, Any], str]] = [
    ("kind", {"kind": "SPAN_KIND_NEW"}, ".kind"),
    ("time", {"startTimeUnixNano": "soon"}, ".startTimeUnixNano"),
    ("time of a wrong type", {"endTimeUnixNano": [1]}, ".endTimeUnixNano"),
    ("attributes", {"attributes": {"http.method": "GET"}}, ".attributes"),
    ("65 bits", {"attributes": [{"key": "x", "value": {"intValue": "1" * 30}}]}, ".attributes.x"),
]


@pytest.mark.parametrize(
    ("changes", "place"), [row[1:] for row in ODD], ids=[row[0] for row in ODD]
)
def test_in_json_a_span_of_odd_types_costs_only_itself(changes: dict[str, Any], place: str) -> None:
    """The others of its request are calls."""
    accepted = accept(as_json(traces({**span(NEW), **changes}, span(NEW))))
    reject, call = (msgspec.json.decode(one, type=Record) for one in accepted.records)
    assert isinstance(reject, Reject)
    assert isinstance(call, ApiCall)
    assert reject.field == f"$.resourceSpans[0].scopeSpans[0].spans[0]{place}"


def test_json_is_read_as_exporters_vary_it() -> None:
    """Numbers for text, names for numbers, nulls, unknown fields, no ids at all."""
    odd = span(NEW) | {
        "kind": "SPAN_KIND_CLIENT",
        "startTimeUnixNano": BEGAN_NS,
        "traceId": None,
        "spanId": "0" * 16,
        "status": {"code": "STATUS_CODE_ERROR"},
        "flags": 1,
        "somethingNew": {"x": []},
        "events": None,
        "attributes": [
            *span(NEW)["attributes"],
            {"key": "url.full", "value": {"stringValue": "http://a.example/"}, "new": 1},
            {"key": "nothing", "value": {}},
            {"key": "none"},
            {"key": "count", "value": {"intValue": 7}},
        ],
    }
    (record,) = accept(as_json(traces(odd))).records
    call = msgspec.json.decode(record, type=ApiCall)
    assert (call.direction, call.time, call.trace_id) == ("Outgoing", BEGAN_AT, "")
    assert msgspec.json.decode(call.metadata) == {"count": 7}
    assert msgspec.json.decode(call.extra)["span"]["status"] == 2


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"\xff\xff", BINARY),
        (b"hello", JSON),
        (b"", JSON),
        (b"[]", JSON),
        (b'{"resourceSpans": 1}', JSON),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}', JSON),
        (b"[" * 100_000, JSON),
        (b'{"resourceSpans": [{"resource":' + b'{"attributes":[' * 200, JSON),
    ],
)
def test_what_is_no_export_request_is_refused_whole(body: bytes, form: str) -> None:
    """The exporter hears of it with the place."""
    with pytest.raises(InvalidInputError) as caught:
        accept(body, form=form)
    assert caught.value.field.startswith("$")


def test_deep_values_cannot_exhaust_us() -> None:
    """In a span they cost the span; in a resource, which all share, the request; so do abysses."""

    def deep(levels: int) -> bytes:
        value = b'{"arrayValue":{"values":[' * levels + b"{}" + b"]}}" * levels
        return b'{"kind":2,"attributes":[{"key":"a","value":%b}]}' % value

    spans = b'{"resourceSpans":[{"scopeSpans":[{"spans":[%b]}]}]}'
    assert accept(spans % deep(200)).rejected == 1
    for body in (spans % deep(100_000), b'{"resourceSpans":[{"resource":%b}]}' % deep(200)):
        with pytest.raises(InvalidInputError):
            accept(body)


def test_the_same_span_has_the_same_id_and_another_has_another() -> None:
    """Exporters try again, in one form or the other."""
    call = call_of(NEW)
    assert call_of({**NEW, "extra": 1}).call_id == call.call_id
    assert call_of(NEW, spanId="2" * 16).call_id != call.call_id
    assert call_of(NEW, traceId="2" * 32).call_id != call.call_id


def test_records_without_ids_are_told_apart_by_their_request() -> None:
    """The same request gives the same ids; two like records in one request are two calls."""
    anonymous = {**span(NEW), "traceId": "", "spanId": ""}

    def ids(*spans: object) -> list[str]:
        records = accept(as_json(traces(*spans))).records
        return [msgspec.json.decode(one, type=ApiCall).call_id for one in records]

    first = ids(anonymous, anonymous)
    assert first == ids(anonymous, anonymous)
    assert len({*first, *ids(anonymous)}) == 3


def test_a_log_record_of_a_call_becomes_a_call() -> None:
    """As spans do; severity and body are metadata, a structured body below its name."""
    (call,) = records_of(
        logs(
            log(
                {"http.method": "GET", "http.target": "/x?y=1", "http.status_code": 404},
                severityText="INFO", traceId=TRACE_ID, spanId=SPAN_ID, eventName="access",
                body={"kvlistValue": {"values": [{"key": "took", "value": {"intValue": "3"}}]}},
            ),
            resource={"service.name": "labels"},
        ),
        Signal.LOG,
    )  # fmt: skip
    assert isinstance(call, ApiCall)
    assert (call.verb, call.uri, call.status, call.time) == ("GET", "/x?y=1", 404, BEGAN_AT)
    assert (call.direction, call.trace_id, call.duration_ms) == ("Incoming", TRACE_ID, 0.0)
    assert msgspec.json.decode(call.metadata) == {
        "service": {"name": "labels"},
        "log": {"severity": "INFO", "body": {"took": 3}},
    }
    assert msgspec.json.decode(call.extra)["span"] == {"id": SPAN_ID, "name": "access"}


def test_a_log_record_without_its_own_time_has_that_of_its_observation() -> None:
    """Collectors of log files set only the latter."""
    (call,) = records_of(
        logs(log(NEW) | {"timeUnixNano": "0", "observedTimeUnixNano": str(BEGAN_NS)}), Signal.LOG
    )
    assert isinstance(call, ApiCall)
    assert call.time == BEGAN_AT


@pytest.mark.parametrize(
    "attributes", [{}, {"http.request.method": "GET"}, {"http.response.status_code": 200}]
)
def test_a_log_record_that_tells_of_no_finished_call_is_not_kept(
    attributes: dict[str, Any],
) -> None:
    """Applications log much beside calls, and the beginning of calls."""
    accepted = accept(as_json(logs(log(attributes))), Signal.LOG)
    assert (accepted.records, accepted.rejected, accepted.ignored) == ([], 0, 1)


def test_a_log_of_a_spans_own_call_is_that_call() -> None:
    """It is not counted twice; a log of another call has another id."""
    of_span = call_of({**NEW, "server.address": "a.example", "url.query": "x=1"})
    ids = {"traceId": TRACE_ID, "spanId": SPAN_ID}
    same, other = records_of(
        logs(log(NEW, **ids), log({**NEW, "url.path": "/y"}, **ids)), Signal.LOG
    )
    assert isinstance(same, ApiCall)
    assert isinstance(other, ApiCall)
    assert same.call_id == of_span.call_id != other.call_id


def test_dots_in_names_are_levels_and_nothing_is_lost_where_they_meet() -> None:
    """A name that has a value and others below it keeps its value below `value`."""
    call = call_of(
        {**NEW, "a": 1, "a.b": 2, "c.d": 3, "c": 4, "e": {"f": 5}, "e.g": 6},
        {"e": {"h": 7}, "a.b": 8},
    )
    assert msgspec.json.decode(call.metadata) == {
        "a": {"value": 1, "b": 2}, "c": {"d": 3, "value": 4}, "e": {"f": 5, "g": 6, "h": 7},
    }  # fmt: skip


def test_secrets_are_masked_wherever_they_stand() -> None:
    """Names, attributes, resources, log bodies: the same masks as for events."""
    secrets = {"password": "planted", "note": "Bearer planted-token-of-some-length"}
    request = traces(
        span({**NEW, **secrets, "url.full": "https://u:planted@a.example/?token=planted"}),
        resource=secrets,
    )
    for record in records_of(request):
        assert b"planted" not in msgspec.json.encode(record)
    assert b"planted" not in msgspec.json.encode(
        reject_of(traces(span({"http.method": "GET", **secrets})))
    )


@pytest.mark.parametrize(
    ("trace_state", "weight"),
    [
        ("", 1),
        ("ot=th:0", 1),
        ("ot=th:8", 2),
        ("ot=th:c", 4),
        ("vendor=1,ot=rv:abcdef01234567;th:fd70a3d70a3d71", 100),
        ("ot=th:ffffffffffffff", 2**56),
        ("ot=th:xyz", 1),
        ("other=th:8", 1),
    ],
)
def test_sampled_spans_stand_for_those_that_were_dropped(trace_state: str, weight: int) -> None:
    """OpenTelemetry's consistent sampling writes its threshold into the trace's state."""
    assert weight_of(trace_state) == weight


def test_a_mountain_of_dots_is_no_trouble() -> None:
    """Names may be as long as they like."""
    assert call_of({**NEW, "." * 50_000: 1, "a" + ".b" * 10_000: 2}).verb == "GET"


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["attributes", "key", "value", "kind", "stringValue",
                                       "traceId", "kvlistValue", "values", "status"]), inner),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(JSONISH, max_size=4))
def test_any_spans_give_a_record_each_or_are_ignored(spans: list[object]) -> None:
    """Whatever stands in place of a span: nothing fails, nothing is lost."""
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    try:
        accepted = accept(body)
    except InvalidInputError:
        assert b"NaN" in body or b"Infinity" in body  # no JSON
        return
    assert len(accepted.records) + accepted.ignored == len(spans)


@given(st.binary(max_size=200), st.sampled_from(Signal))
def test_any_bytes_are_read_or_refused(body: bytes, signal: Signal) -> None:
    """Never anything else."""
    for form in (JSON, BINARY, ""):
        with contextlib.suppress(InvalidInputError):
            accept(body, signal, form)
