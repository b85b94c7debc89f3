"""Turn an action that a client sent into the record that the log keeps.

In: one JSON object of `/v1/actions`. Out: an `Action` with its time in UTC, checked ids, masked
secrets and a fingerprint instead of the session token. Raises `InvalidInputError` with the JSON
path when something required is missing. Pure.
"""

from datetime import datetime
from typing import Any

from msgspec import Raw

from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.collector.arrival import Arrival
from headwater.collector.calls import BACKFILL, TIME_MISSING, TIME_UNREADABLE
from headwater.collector.checks import checked_id, label, required
from headwater.collector.hiding import quoted
from headwater.collector.json_text import check_depth, write_json
from headwater.collector.masking import Masker
from headwater.collector.times import read_time
from headwater.collector.tolerance import as_object, as_text
from headwater.model import NO_JSON, Action

TIME_APPROXIMATE = "time_approximate"
"""Browsers keep a batch for seconds, or until the next visit, and never send a time."""


def to_action(
    item: dict[str, Any], arrival: Arrival, vault: Vault, masker: Masker, *, in_batch: bool
) -> Action:
    """Return the record of one action; null means not given."""
    sent = _given(item)
    request = _take_request(sent)
    done_at, time_flags = _done_at(request.pop("time", None), arrival, in_batch=in_batch)
    token = _take_text(sent, "$", "session_token")
    uri = required(_take_text(request, "$.request", "uri"), "$.request.uri")
    # An empty one says that it is not known: whoever tells of others is not where they are.
    named = "ip_address" in request
    address = label(_take_text(request, "$.request", "ip_address")) if named else arrival.ip_address
    return Action(
        app_id=arrival.app_id,
        action_id=_take_id(sent, "transaction_id") or new_id("act"),
        time=done_at,
        received_at=arrival.received_at,
        action_name=label(required(_take_text(sent, "$", "action_name"), "$.action_name")),
        uri=masker.uris((uri,))[0],
        user_id=_take_id(sent, "user_id"),
        company_id=_take_id(sent, "company_id"),
        anonymous_id=_take_id(sent, "anonymous_id"),
        session_key=vault.fingerprint(token) if token else "",
        ip_address=masker.address(address),
        user_agent=label(_take_text(request, "$.request", "user_agent_string")),
        sdk=arrival.sdk,
        metadata=_document(sent.pop("metadata", None), "$.metadata", masker),
        extra=_document(sent | ({"request": request} if request else {}), "$", masker),
        flags=(*time_flags, BACKFILL) if arrival.is_backfill else time_flags,
    )


def _given(sent: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if value is not None}


def _take_request(sent: dict[str, Any]) -> dict[str, Any]:
    if "request" not in sent:
        raise InvalidInputError("This is required.", field="$.request")
    return _given(as_object(sent.pop("request"), "$.request"))


def _take_text(sent: dict[str, Any], path: str, name: str) -> str:
    value = sent.pop(name, None)
    return "" if value is None else as_text(value, f"{path}.{name}")


def _take_id(sent: dict[str, Any], name: str) -> str:
    return checked_id(_take_text(sent, "$", name), f"$.{name}")


def _done_at(sent: object, arrival: Arrival, *, in_batch: bool) -> tuple[datetime, tuple[str, ...]]:
    if sent is None:
        approximate = (TIME_APPROXIMATE,) if in_batch else ()
        return arrival.received_at, (TIME_MISSING, *approximate)
    at = read_time(sent) if isinstance(sent, str | int | float) else None
    return (at, ()) if at is not None else (arrival.received_at, (TIME_UNREADABLE,))


def _document(value: object, path: str, masker: Masker) -> Raw:
    if not value:
        return NO_JSON
    document = write_json(value)
    check_depth(document, path)
    return quoted(masker.document(document))
