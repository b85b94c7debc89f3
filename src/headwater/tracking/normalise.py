"""Turn an item as a client sent it into a message, or say by a code why it is none.

In: a decoded item and the facts of its request. Out: a `Message` in Segment's own spelling, or a
`Refusal` with Segment's own code. Pure: no clock, no keys, no log.
"""

from datetime import datetime
from typing import Any

import msgspec

from headwater.base.clock import to_wire_time
from headwater.base.ids import new_id
from headwater.model import Message
from headwater.tracking.times import correct, read_time

TYPES = frozenset({"identify", "track", "page", "screen", "group", "alias"})
LONGEST_MESSAGE_ID = 100
_IDS = ("userId", "anonymousId", "groupId", "previousId", "messageId")
_OBJECTS = ("context", "integrations", "traits", "properties")
_NAMES = ("name", "category")
_NEVER_KEPT = frozenset({"writeKey", "_metadata"})
_ON_DEVICES = (
    "analytics.js",
    "analytics-ios",
    "analytics-android",
    "analytics-swift",
    "analytics-kotlin",
    "analytics-react-native",
    "analytics-flutter",
)

REASONS = {
    "context_not_object": "`context` must be an object.",
    "integrations_not_object": "`integrations` must be an object.",
    "traits_not_object": "`traits` must be an object.",
    "properties_not_object": "`properties` must be an object.",
    "name_not_string": "`name` must be a string.",
    "category_not_string": "`category` must be a string.",
    "id_not_string": "Ids must be strings or numbers.",
    "id_required": "`groupId` is needed for group, `previousId` and `userId` for alias.",
    "no_user_anon_id": "`userId` or `anonymousId` is needed.",
    "event_not_defined": "`event` is needed for track.",
    "event_not_string": "`event` must be a string.",
    "invalid_type": "`type` must be identify, track, page, screen, group or alias.",
    "message_id_too_long": f"`messageId` has {LONGEST_MESSAGE_ID} characters at most.",
    "invalid_json": "This is not JSON.",
    "not_object": "A message must be an object.",
    "too_deep": "The JSON is nested too deeply.",
    "too_large": "The message is larger than the limit.",
    "invalid_write_key": "No source has this write key.",
    "source_disabled": "The source is disabled.",
    "empty_batch": "The batch holds no messages.",
    "empty_batch_result": "None of the batch's messages could be accepted.",
}


class Refusal(msgspec.Struct, frozen=True):
    """Why an item is not accepted: one of `REASONS`."""

    code: str


class Reception(msgspec.Struct, frozen=True, kw_only=True):
    """How a request arrived."""

    received_at: datetime
    sent_at: Any = None
    """As the envelope of a batch has it; an item's own counts without."""
    type: str = ""
    """From the path; empty when each item says it."""
    is_client_side: bool = False
    ip: str = ""
    context: dict[str, Any] = {}
    integrations: dict[str, Any] = {}


def normalise(item: dict[str, Any], source_id: str, reception: Reception) -> Message | Refusal:
    """Return the message, checked, stamped and completed."""
    body = _put_envelope(_drop_absent(item), reception)
    body = _put_ids_as_text(body)
    fault = find_fault(body)
    if fault:
        return Refusal(fault)
    _put_ip(body, reception)
    timestamp = _put_times(body, reception)
    if "messageId" not in body:
        body["messageId"] = new_id("msg")
    return Message(
        source_id=source_id,
        message_id=body["messageId"],
        type=body["type"],
        user_id=body.get("userId", ""),
        anonymous_id=body.get("anonymousId", ""),
        received_at=reception.received_at,
        timestamp=timestamp,
        body={**body, "version": 2},
    )


def find_fault(body: dict[str, Any]) -> str:
    """Return the code of the first fault, empty when there is none."""
    for name in _OBJECTS:
        if not isinstance(body.get(name, {}), dict):
            return f"{name}_not_object"
    for name in _NAMES:
        if not isinstance(body.get(name, ""), str):
            return f"{name}_not_string"
    if not all(isinstance(body.get(name, ""), str) for name in _IDS):
        return "id_not_string"
    if len(body.get("messageId", "")) > LONGEST_MESSAGE_ID:
        return "message_id_too_long"
    return _find_missing(body)


def _find_missing(body: dict[str, Any]) -> str:
    match body.get("type"):
        case "alias":
            return "" if "previousId" in body and "userId" in body else "id_required"
        case "group" if "groupId" not in body:
            return "id_required"
        case "track" if "event" not in body:
            return "event_not_defined"
        case "track" if not isinstance(body["event"], str):
            return "event_not_string"
        case kind if not isinstance(kind, str) or kind not in TYPES:
            return "invalid_type"
    return "" if "userId" in body or "anonymousId" in body else "no_user_anon_id"


def _drop_absent(item: dict[str, Any]) -> dict[str, Any]:
    """Null is absent, and so is an empty id; keys of the transport never go further."""
    return {
        name: value
        for name, value in item.items()
        if value is not None and name not in _NEVER_KEPT and not (value == "" and name in _IDS)
    }


def _put_envelope(body: dict[str, Any], reception: Reception) -> dict[str, Any]:
    if reception.type:
        body["type"] = reception.type
    for name, shared in (
        ("context", reception.context),
        ("integrations", reception.integrations),
    ):
        own = body.get(name, {})
        if shared and isinstance(own, dict):
            body[name] = {**shared, **own}
    return body


def _put_ids_as_text(body: dict[str, Any]) -> dict[str, Any]:
    return {name: _number_as_text(value) if name in _IDS else value for name, value in body.items()}


def _number_as_text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(int(value)) if value == int(value) else repr(value)


def _put_ip(body: dict[str, Any], reception: Reception) -> None:
    """Client-side libraries do not know their address: it is the connection's."""
    context = body.get("context", {})
    library = context.get("library")
    name = library.get("name") if isinstance(library, dict) else None
    on_device = reception.is_client_side or name in _ON_DEVICES or context.get("direct") is True
    if on_device and reception.ip and context.get("ip") is None:
        body["context"] = {**context, "ip": reception.ip}


def _put_times(body: dict[str, Any], reception: Reception) -> datetime:
    sent_at = read_time(reception.sent_at) or read_time(body.get("sentAt"))
    times = correct(body.get("timestamp"), sent_at, reception.received_at)
    body["originalTimestamp"] = to_wire_time(times.original)
    body["timestamp"] = to_wire_time(times.timestamp)
    body["receivedAt"] = to_wire_time(reception.received_at)
    body["sentAt"] = to_wire_time(sent_at or reception.received_at)
    return times.timestamp
