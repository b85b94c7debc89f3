"""Turn an understood event into the call that the log keeps.

In: an event, and what is known of its request. Out: an `ApiCall` with times in UTC, checked ids and
a fingerprint instead of the session token; `hide_secrets` then masks all calls of a batch in one
go. Raises `InvalidInputError` with the JSON path when something required is missing. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast, get_args

from msgspec import Raw

from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.collector.arrival import Arrival
from headwater.collector.bodies import TRUNCATED, Body, clean_json, read_body
from headwater.collector.checks import checked_id, label, required
from headwater.collector.json_text import check_depth, write_json
from headwater.collector.masking import Masker
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
_LONGEST_VERB = 32
_NO_FLAGS: tuple[str, ...] = ()


def to_call(
    item: Understood, arrival: Arrival, vault: Vault, masker: Masker, max_bytes: int
) -> ApiCall:
    """Return the record of one event; its secrets are still there, until `hide_secrets`."""
    event, request, response = item.event, item.event.request, item.event.response or _NO_RESPONSE
    began_at, flags = _began_at(request.time, arrival)
    call = ApiCall(
        app_id=arrival.app_id,
        call_id=checked_id(event.transaction_id, "$.transaction_id") or new_id("call"),
        time=began_at,
        received_at=arrival.received_at,
        verb=_verb(request.verb),
        uri=required(request.uri, "$.request.uri"),
        status=_status(response.status),
        duration_ms=0.0 if flags else _duration_ms(began_at, response),
        user_id=checked_id(event.user_id, "$.user_id"),
        company_id=checked_id(event.company_id, "$.company_id"),
        anonymous_id=checked_id(event.anonymous_id, "$.anonymous_id"),
        session_key=vault.fingerprint(event.session_token) if event.session_token else "",
        ip_address=label(request.ip_address) or arrival.ip_address,
        direction=_direction(event.direction),
        weight=min(max(event.weight or 1, 1), _MOST_WEIGHT),
        action_name=label(event.action_name),
        blocked_by=label(event.blocked_by),
        api_version=label(request.api_version),
        trace_id=label(event.trace_id),
        sdk=arrival.sdk,
        request_headers=_headers(request),
        response_headers=response.headers or {},
        metadata=_document(event.metadata, "$.metadata"),
        extra=_extra(event, item.unknown),
        route=label(item.route),
        flags=(*flags, BACKFILL) if arrival.is_backfill else flags,
    )
    sent = read_body(request, "$.request.body", masker, max_bytes)
    answered = read_body(response, "$.response.body", masker, max_bytes)
    _put_bodies(call, sent, answered)
    return call


def _put_bodies(call: ApiCall, sent: Body, answered: Body) -> None:
    call.request_body, call.request_encoding, call.request_bytes, sent_cut = sent
    call.response_body, call.response_encoding, call.response_bytes, answered_cut = answered
    if sent_cut or answered_cut:
        call.flags = (*call.flags, TRUNCATED)


def _headers(request: RequestIn) -> dict[str, str]:
    headers, agent = request.headers or {}, request.user_agent_string
    if agent and all(name.lower() != "user-agent" for name in headers):
        return {**headers, "user-agent": agent}
    return headers


def _direction(text: str | None) -> Direction:
    if not text or text == "Incoming":
        return "Incoming"
    return _DIRECTIONS.get(text.lower(), "Incoming")


def _began_at(sent: str | float | None, arrival: Arrival) -> tuple[datetime, tuple[str, ...]]:
    at = read_time(sent)
    if at is not None:
        return at, _NO_FLAGS
    return arrival.received_at, ((TIME_UNREADABLE,) if sent else (TIME_MISSING,))


def _duration_ms(began_at: datetime, response: ResponseIn) -> float:
    ended_at = read_time(response.time)
    return 0.0 if ended_at is None else max(0.0, (ended_at - began_at).total_seconds() * 1000)


def _verb(text: str) -> str:
    verb = required(text, "$.request.verb").strip().upper()
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


def _document(raw: Raw, path: str) -> Raw:
    if raw is NO_JSON:
        return raw
    sent = clean_json(raw)
    check_depth(sent, path)
    return Raw(sent) if sent else NO_JSON


def _extra(event: EventIn, unknown: Mapping[str, object] | None) -> Raw:
    """Keep what has no column: rarely used fields, and those that only newer clients know."""
    rest = dict(unknown) if unknown else {}
    if event.subscription_id:
        rest["subscription_id"] = event.subscription_id
    if event.tags:
        rest["tags"] = event.tags
    if event.api_version:
        rest["api_version"] = event.api_version
    if event.response and event.response.ip_address:
        inner = cast("dict[str, object]", rest.get("response", {}))
        rest["response"] = inner | {"ip_address": event.response.ip_address}
    if event.span is not NO_JSON and (span := clean_json(event.span)):
        rest["span"] = Raw(span)
    return _document(Raw(write_json(rest)), "$") if rest else NO_JSON
