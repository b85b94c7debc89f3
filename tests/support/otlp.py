"""Make export requests of OpenTelemetry, in both forms, from one description.

In: spans or log records as plain dictionaries, with plain attributes. Out: JSON as the protocol
writes it, and the same in protobuf.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
BEGAN_NS = 1_795_000_000_123_456_000
ENDED_NS = BEGAN_NS + 42_000_000


def span(attributes: Mapping[str, Any], kind: int = 2, **changes: Any) -> dict[str, Any]:
    """Return a server span, unless another kind is given."""
    return {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": "a span",
        "kind": kind,
        "startTimeUnixNano": str(BEGAN_NS),
        "endTimeUnixNano": str(ENDED_NS),
        "attributes": pairs(attributes),
        **changes,
    }


def log(attributes: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a log record."""
    return {"timeUnixNano": str(BEGAN_NS), "attributes": pairs(attributes), **changes}


def traces(*spans: object, resource: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an export request of spans."""
    scoped = {"scope": {"name": "instrumentation", "version": "1.2"}, "spans": list(spans)}
    described = {"attributes": pairs(resource or {})}
    return {"resourceSpans": [{"resource": described, "scopeSpans": [scoped]}]}


def logs(*records: object, resource: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an export request of log records."""
    described = {"attributes": pairs(resource or {})}
    scoped = {"logRecords": list(records)}
    return {"resourceLogs": [{"resource": described, "scopeLogs": [scoped]}]}


def pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as the protocol writes them."""
    return [{"key": name, "value": value_of(value)} for name, value in attributes.items()]


def value_of(value: object) -> dict[str, Any]:
    """Return one value as the protocol writes it."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [value_of(one) for one in value]}}
        case dict():
            return {"kvlistValue": {"values": pairs(value)}}
        case _:
            return {"stringValue": str(value)}


def as_json(request: Mapping[str, Any]) -> bytes:
    """Return the JSON form."""
    return json.dumps(request).encode()


def as_protobuf(request: Mapping[str, Any]) -> bytes:
    """Return the binary form."""
    message = (
        ExportTraceServiceRequest() if "resourceSpans" in request else ExportLogsServiceRequest()
    )
    return ParseDict(_with_base64_ids(request), message).SerializeToString()


def _with_base64_ids(value: Any) -> Any:
    """Ids are hexadecimal in this protocol's JSON, and base64 in that of protobuf."""
    if isinstance(value, Mapping):
        return {
            name: _base64(inner) if name.endswith(("raceId", "panId")) else _with_base64_ids(inner)
            for name, inner in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_with_base64_ids(inner) for inner in value]
    return value


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
