"""Hostile export requests at the OTLP door, in both forms, through the real HTTP server.

The promise: never a 5xx; a refused request leaves nothing; the answer to an accepted one counts
the records that were refused.
"""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from headwater.eventlog import Stream
from headwater.ingest.batch import decode_entries
from tests.fuzz.effort import TIMEOUT_S, effort, tally
from tests.fuzz.hostile import PACKERS, anything, damaged, documents
from tests.fuzz.items import LOG, RESOURCE, SPAN
from tests.support.collector_door import Door, open_door

ITEMS = {"/v1/traces": ("Spans", "spans", SPAN), "/v1/logs": ("Logs", "logRecords", LOG)}
REQUESTS = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest}
REFUSED = {400, 413}
pytestmark = pytest.mark.timeout(TIMEOUT_S)


def in_one_export(path: str, resource: bytes, items: list[bytes]) -> bytes:
    """Return the JSON of a request with these records."""
    scope, records, _ = ITEMS[path]
    parts = (scope.encode(), resource, scope.encode(), records.encode(), b",".join(items))
    return b'{"resource%b":[{"resource":%b,"scope%b":[{"%b":[%b]}]}]}' % parts


@st.composite
def json_exports(draw: st.DrawFn, path: str) -> bytes:
    """A request of some records, each spoiled a little."""
    items = [draw(documents(ITEMS[path][2], {})) for _ in range(draw(st.integers(0, 4)))]
    return in_one_export(path, draw(documents(RESOURCE, {})), items)


def binary_export(path: str) -> bytes:
    """A good request in protobuf."""
    good = in_one_export(path, b"{}", [json.dumps(ITEMS[path][2]).encode()] * 2)
    return bytes(ParseDict(json.loads(good), REQUESTS[path]()).SerializeToString())


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with open_door(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    with tally(__name__) as counter:
        yield counter


def export_to(
    door: Door, counts: Counter[str], path: str, body: bytes, form: str, encoding: str
) -> None:
    """Post an export request, and compare the answer with what it left in the log."""
    entries = door.log._streams[Stream.CALLS].entries
    entries.clear()
    packed = PACKERS[encoding](body)
    reply = door.ask("POST", path, packed, content_type=form, content_encoding=encoding)
    counts[str(reply.status)] += 1
    batch = decode_entries(list(entries.values()))
    counts["records"] += len(batch.calls) + len(batch.rejects)
    assert all(reject.kind != "record" for _, reject in batch.rejects)
    if reply.status in REFUSED:
        assert not entries
        return
    assert reply.status == 200, reply.data
    if "json" in form:
        told = json.loads(reply.data).get("partialSuccess", {})
        refused = told.get("rejectedSpans", told.get("rejectedLogRecords", 0))
        assert int(refused) == len(batch.rejects)


@effort(200)
@given(data=st.data(), path=st.sampled_from(list(ITEMS)), encoding=st.sampled_from(list(PACKERS)))
def test_json_exports_are_kept_or_refused(
    door: Door, counts: Counter[str], data: st.DataObject, path: str, encoding: str
) -> None:
    """Spoiled fields, damaged bytes, and values that are no export at all."""
    whole = json_exports(path)
    body = data.draw(st.one_of(whole, whole, damaged(whole), anything))
    export_to(door, counts, path, body, "application/json", encoding)


@effort(200)
@given(data=st.data(), path=st.sampled_from(list(ITEMS)), encoding=st.sampled_from(list(PACKERS)))
def test_binary_exports_are_kept_or_refused(
    door: Door, counts: Counter[str], data: st.DataObject, path: str, encoding: str
) -> None:
    """A good request with some of its bytes damaged, and garbage."""
    body = data.draw(st.one_of(damaged(st.just(binary_export(path))), st.binary(max_size=200)))
    export_to(door, counts, path, body, "application/x-protobuf", encoding)
