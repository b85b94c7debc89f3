"""Turn an understood event into the call that the log keeps.

In: an event, and what is known of its request. Out: an `ApiCall` with times in UTC, lower-case
header names, checked ids, masked secrets and a fingerprint instead of the session token. Raises
`InvalidInputError` with the JSON path when something required is missing. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast, get_args

from msgspec import Raw

from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.collector.arrival import Arrival, checked_id
from headwater.collector.bodies import TRUNCATED, Body, clean_json, read_body
from headwater.collector.json_text import check_depth, write_json
from headwater.collector.masking import mask_headers, mask_json, mask_uri
from headwater.collector.times import read_time
from headwater.collector.wire import EventIn, RequestIn, ResponseIn, Understood
from headwater.model import NO_JSON, ApiCall, Direction

TIME_MISSING = "time_missing"
TIME_UNREADABLE = "time_unreadable"
BACKFILL = "backfill"

_DIRECTIONS: dict[str, Direction] = {name.lower(): name for name in get_args(Direction)}
_NO_RESPONSE = ResponseIn()
_MOST_WEIGHT = 1_000_000
_STATUS_BELOW = 1000
_LONGEST_LABEL = 512
_LONGEST_VERB = 32
_NO_FLAGS: tuple[str, ...] = ()


def to_call(item: Understood, arrival: Arrival, vault: Vault, max_bytes: int) -> ApiCall:
    """Return the record of one event."""
    event, request, response = item.event, item.event.request, item.event.response or _NO_RESPONSE
    began_at, time_flags = _began_at(request.time, arrival)
    request_headers, sent = _read_side(request, "$.request", max_bytes)
    response_headers, answered = _read_side(response, "$.response", max_bytes)
    if request.user_agent_string:
        request_headers.setdefault("user-agent", request.user_agent_string)
    return ApiCall(
        app_id=arrival.app_id,
        call_id=checked_id(event.transaction_id, "$.transaction_id") or new_id("call"),
        time=began_at,
        received_at=arrival.received_at,
        verb=_verb(request.verb),
        uri=mask_uri(_required(request.uri, "$.request.uri")),
        status=_status(response.status),
        duration_ms=0.0 if time_flags else _duration_ms(began_at, response),
        session_key=vault.fingerprint(event.session_token) if event.session_token else "",
        ip_address=_label(request.ip_address) or arrival.ip_address,
        direction=_DIRECTIONS.get((event.direction or "").lower(), "Incoming"),
        weight=min(max(event.weight or 1, 1), _MOST_WEIGHT),
        sdk=arrival.sdk,
        request_headers=request_headers,
        response_headers=response_headers,
        request_body=sent.raw,
        response_body=answered.raw,
        request_encoding=sent.encoding,
        response_encoding=answered.encoding,
        request_bytes=sent.size_bytes,
        response_bytes=answered.size_bytes,
        metadata=_document(event.metadata, "$.metadata"),
        extra=_extra(event, item.unknown),
        route=_label(item.route),
        flags=(*time_flags, *_flags(arrival, sent, answered)),
        **_names(event),
    )


def _read_side(
    part: RequestIn | ResponseIn, path: str, max_bytes: int
) -> tuple[dict[str, str], Body]:
    headers = mask_headers(part.headers or {})
    announced_bytes = _announced_bytes(headers, part.content_length)
    body = read_body(part.body, part.transfer_encoding, announced_bytes, f"{path}.body", max_bytes)
    return headers, body


def _names(event: EventIn) -> dict[str, str]:
    """Return the opaque ids of people, and the labels."""
    return {
        "user_id": checked_id(event.user_id, "$.user_id"),
        "company_id": checked_id(event.company_id, "$.company_id"),
        "anonymous_id": checked_id(event.anonymous_id, "$.anonymous_id"),
        "action_name": _label(event.action_name),
        "blocked_by": _label(event.blocked_by),
        "api_version": _label(event.request.api_version),
        "trace_id": _label(event.trace_id),
    }


def _flags(arrival: Arrival, sent: Body, answered: Body) -> tuple[str, ...]:
    truncated = (TRUNCATED,) if sent.is_cut or answered.is_cut else ()
    return (*truncated, BACKFILL) if arrival.is_backfill else truncated


def _began_at(sent: str | float | None, arrival: Arrival) -> tuple[datetime, tuple[str, ...]]:
    at = read_time(sent)
    if at is not None:
        return at, _NO_FLAGS
    return arrival.received_at, ((TIME_UNREADABLE,) if sent else (TIME_MISSING,))


def _duration_ms(began_at: datetime, response: ResponseIn) -> float:
    ended_at = read_time(response.time)
    return 0.0 if ended_at is None else max(0.0, (ended_at - began_at).total_seconds() * 1000)


def _required(text: str, path: str) -> str:
    if not text.strip():
        raise InvalidInputError("This is required.", field=path)
    return text


def _verb(text: str) -> str:
    verb = _required(text, "$.request.verb").strip().upper()
    if len(verb) > _LONGEST_VERB:
        raise InvalidInputError(
            f"A verb has at most {_LONGEST_VERB} letters.", field="$.request.verb"
        )
    return verb


def _status(status: int | None) -> int:
    if status is None:
        return 0
    if not 0 <= status < _STATUS_BELOW:
        raise InvalidInputError("A status has three digits.", field="$.response.status")
    return status


def _label(text: str | None) -> str:
    return text[:_LONGEST_LABEL] if text else ""


def _announced_bytes(headers: Mapping[str, str], content_length: int | None) -> int:
    header = headers.get("content-length", "").strip()
    # Sixteen digits are petabytes; more would not fit the store's counter.
    if header.isascii() and header.isdigit() and len(header) < 16:  # noqa: PLR2004
        return int(header)
    return min(max(content_length or 0, 0), 10**15)


def _document(raw: Raw, path: str) -> Raw:
    sent = clean_json(raw)
    check_depth(sent, path)
    return Raw(mask_json(sent)) if sent else NO_JSON


def _extra(event: EventIn, unknown: Mapping[str, object]) -> Raw:
    """Keep what has no column: rarely used fields, and those that only newer clients know."""
    rest = dict(unknown)
    for name in ("subscription_id", "tags", "api_version"):
        value = getattr(event, name)
        if value:
            rest[name] = value
    if event.response and event.response.ip_address:
        inner = cast("dict[str, object]", rest.get("response", {}))
        rest["response"] = inner | {"ip_address": event.response.ip_address}
    span = clean_json(event.span)
    if span:
        rest["span"] = Raw(span)
    return _document(Raw(write_json(rest)), "$") if rest else NO_JSON
