"""Read an export request in its JSON form.

In: bytes of `application/json`, lower camel case names, ids in hexadecimal, 64-bit numbers as text
or as numbers. Out: records, and a reason for each that cannot be read; unknown fields are passed
over, as the protocol demands. Raises `InvalidInputError` when the envelope is broken. Pure.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.collector.json_text import check_depth, heal, too_deep
from headwater.collector.otlp.json_wire import (
    AnyValue,
    LogIn,
    Pair,
    RequestIn,
    Resource,
    Scope,
    ScopeGroup,
    SpanIn,
    StatusIn,
)
from headwater.collector.otlp.records import Kind, Record, Signal, known_id, scope_label
from headwater.collector.wire import NotUnderstood

T = TypeVar("T")


_REQUEST = msgspec.json.Decoder(RequestIn)
_SPAN = msgspec.json.Decoder(SpanIn)
_RESOURCE = msgspec.json.Decoder(Resource | None)
_LOG = msgspec.json.Decoder(LogIn)
_NO_SCOPE, _NO_STATUS = Scope(), StatusIn()
_STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_64_BITS = range(-(2**63), 2**64)
_KINDS = {f"SPAN_KIND_{kind.name}": kind for kind in Kind}


def read_json_form(body: bytes, signal: Signal) -> Iterator[Record | NotUnderstood]:
    """Return every record of a request, in order."""
    request = _decode(_REQUEST, heal(body), "$")
    is_span = signal is Signal.SPAN
    groups = request.resource_spans if is_span else request.resource_logs
    for i, group in enumerate(groups or ()):
        place = f"$.{'resourceSpans' if is_span else 'resourceLogs'}[{i}]"
        resource = _read_resource(bytes(group.resource), f"{place}.resource")
        for j, scoped in enumerate((group.scope_spans if is_span else group.scope_logs) or ()):
            inner = f"{place}.{'scopeSpans' if is_span else 'scopeLogs'}[{j}]"
            yield from _read_scope(scoped, signal, inner, resource)


def _read_scope(
    scoped: ScopeGroup, signal: Signal, place: str, resource: dict[str, Any]
) -> Iterator[Record | NotUnderstood]:
    scope = scoped.scope or _NO_SCOPE
    label = scope_label(scope.name or "", scope.version or "")
    is_span = signal is Signal.SPAN
    read = _read_span if is_span else _read_log
    name = "spans" if is_span else "logRecords"
    for k, raw in enumerate((scoped.spans if is_span else scoped.log_records) or ()):
        try:
            check_depth(bytes(raw), f"{place}.{name}[{k}]")
            yield read(bytes(raw), f"{place}.{name}[{k}]", resource, label)
        except InvalidInputError as err:
            yield NotUnderstood(bytes(raw), err)


def _read_resource(raw: bytes, place: str) -> dict[str, Any]:
    check_depth(raw, place)
    resource = _decode(_RESOURCE, raw or b"null", place)
    return _attributes(resource.attributes, place) if resource else {}


def _decode(decoder: "msgspec.json.Decoder[T]", raw: bytes, place: str) -> T:
    try:
        return decoder.decode(raw)
    except RecursionError as err:
        raise too_deep(place) from err
    except msgspec.MsgspecError as err:
        problem, _, inner = str(err).partition(" - at `$")
        raise InvalidInputError(f"{problem}.", field=place + inner.rstrip("`")) from err


def _read_span(raw: bytes, place: str, resource: dict[str, Any], scope: str) -> Record:
    span = _decode(_SPAN, raw, place)
    status = span.status or _NO_STATUS
    return Record(
        place=place,
        trace_id=known_id(span.trace_id or ""),
        span_id=known_id(span.span_id or ""),
        parent_span_id=known_id(span.parent_span_id or ""),
        trace_state=span.trace_state or "",
        kind=_number(_KINDS.get(str(span.kind), span.kind), f"{place}.kind"),
        name=span.name or "",
        began_ns=_number(span.start_time_unix_nano, f"{place}.startTimeUnixNano"),
        ended_ns=_number(span.end_time_unix_nano, f"{place}.endTimeUnixNano"),
        status=_number(_STATUS_CODES.get(str(status.code), status.code), f"{place}.status.code"),
        status_message=status.message or "",
        links=[{"trace_id": x.trace_id or "", "id": x.span_id or ""} for x in span.links or ()],
        attributes=_attributes(span.attributes, place),
        resource=resource,
        scope=scope,
    )


def _read_log(raw: bytes, place: str, resource: dict[str, Any], scope: str) -> Record:
    log = _decode(_LOG, raw, place)
    return Record(
        place=place,
        trace_id=known_id(log.trace_id or ""),
        span_id=known_id(log.span_id or ""),
        name=log.event_name or "",
        began_ns=_number(log.time_unix_nano, f"{place}.timeUnixNano")
        or _number(log.observed_time_unix_nano, f"{place}.observedTimeUnixNano"),
        severity=log.severity_text or "",
        body=_plain(log.body, f"{place}.body"),
        attributes=_attributes(log.attributes, place),
        resource=resource,
        scope=scope,
    )


def _attributes(pairs: Iterable[Pair] | None, place: str) -> dict[str, Any]:
    return {pair.key: _plain(pair.value, f"{place}.attributes.{pair.key}") for pair in pairs or ()}


def _plain(value: AnyValue | None, place: str) -> Any:
    if value is None:
        return None
    if value.array_value is not None:
        return [_plain(one, place) for one in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return {pair.key: _plain(pair.value, place) for pair in value.kvlist_value.values or ()}
    if value.int_value is not None:
        return _number(value.int_value, place)
    plain = (value.string_value, value.bool_value, value.double_value, value.bytes_value)
    return next((one for one in plain if one is not None), None)


def _number(value: int | str | None, place: str) -> int:
    """Return a whole number, which this form may write as text."""
    try:
        number = int(value or 0)
    except ValueError as err:
        raise InvalidInputError("Expected a whole number.", field=place) from err
    if number not in _64_BITS:
        raise InvalidInputError("Expected a number of 64 bits.", field=place)
    return number
