"""Read an export request in its binary form.

In: bytes of `application/x-protobuf`. Out: records. Raises `InvalidInputError` when the bytes are
no such message: in this form one broken span cannot be told from its neighbours. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from headwater.base.errors import InvalidInputError
from headwater.collector.otlp.records import Record, Signal, known_id, scope_label


def read_protobuf(body: bytes, signal: Signal) -> Iterator[Record]:
    """Return every record of a request, in order."""
    return _spans(body) if signal is Signal.SPAN else _logs(body)


def _spans(body: bytes) -> Iterator[Record]:
    request = _parse(ExportTraceServiceRequest, body)
    for i, group in enumerate(request.resource_spans):
        resource = _attributes(group.resource.attributes)
        for j, scoped in enumerate(group.scope_spans):
            scope = _scope(scoped.scope)
            for k, span in enumerate(scoped.spans):
                place = f"$.resourceSpans[{i}].scopeSpans[{j}].spans[{k}]"
                yield _span(span, place, resource, scope)


def _logs(body: bytes) -> Iterator[Record]:
    request = _parse(ExportLogsServiceRequest, body)
    for i, group in enumerate(request.resource_logs):
        resource = _attributes(group.resource.attributes)
        for j, scoped in enumerate(group.scope_logs):
            scope = _scope(scoped.scope)
            for k, record in enumerate(scoped.log_records):
                place = f"$.resourceLogs[{i}].scopeLogs[{j}].logRecords[{k}]"
                yield _log(record, place, resource, scope)


def _parse(message: Callable[[], Any], body: bytes) -> Any:
    request = message()
    try:
        request.ParseFromString(body)
    except DecodeError as err:
        raise InvalidInputError(
            f"The body is not a protobuf export request: {err}.",
            field="$",
            hint="JSON needs the content type application/json.",
        ) from err
    return request


def _span(span: Span, place: str, resource: dict[str, Any], scope: str) -> Record:
    return Record(
        place=place,
        trace_id=known_id(span.trace_id.hex()),
        span_id=known_id(span.span_id.hex()),
        parent_span_id=known_id(span.parent_span_id.hex()),
        trace_state=span.trace_state,
        kind=span.kind,
        name=span.name,
        began_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        status=span.status.code,
        status_message=span.status.message,
        links=[{"trace_id": x.trace_id.hex(), "id": x.span_id.hex()} for x in span.links],
        attributes=_attributes(span.attributes),
        resource=resource,
        scope=scope,
    )


def _log(record: LogRecord, place: str, resource: dict[str, Any], scope: str) -> Record:
    return Record(
        place=place,
        trace_id=known_id(record.trace_id.hex()),
        span_id=known_id(record.span_id.hex()),
        name=record.event_name,
        began_ns=record.time_unix_nano or record.observed_time_unix_nano,
        severity=record.severity_text,
        body=_plain(record.body),
        attributes=_attributes(record.attributes),
        resource=resource,
        scope=scope,
    )


def _scope(scope: InstrumentationScope) -> str:
    return scope_label(scope.name, scope.version)


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: AnyValue) -> Any:
    form = value.WhichOneof("value")
    if form is None:
        return None
    inner = getattr(value, form)
    return _COMPOUND[form](inner) if form in _COMPOUND else inner


_COMPOUND: Mapping[str, Callable[[Any], Any]] = {
    "array_value": lambda inner: [_plain(one) for one in inner.values],
    "kvlist_value": lambda inner: _attributes(inner.values),
}
