"""Make messages to try a destination with: of each type a sample, or what somebody pasted.

In: a type, or JSON. Out: a message under a new id, so that no receiver takes it for a repetition;
it says of itself that it is a test.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headwater.base.clock import to_wire_time
from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.destinations.contract import MESSAGE_TYPES
from headwater.model import Message

_PERSON = {"email": "test@example.com", "name": "Headwater Test", "isTest": True}
_SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "identify": {"traits": {**_PERSON, "plan": "pro", "company": {"id": "test-company"}}},
    "track": {"event": "API Called", "properties": {"status": 200, "isTest": True}},
    "page": {"name": "Home", "properties": {"url": "https://www.example.com/", "isTest": True}},
    "screen": {"name": "Home", "properties": {"isTest": True}},
    "group": {"groupId": "test-company", "traits": {"name": "Test Company", "isTest": True}},
    "alias": {"previousId": "headwater-test-visitor"},
}


def sample_body(type_: str) -> dict[str, Any]:
    """Return a sample's body, to be looked at and changed before it is sent."""
    if type_ not in _SAMPLES:
        raise InvalidInputError(
            f"There is no message type {type_!r}.",
            field="type",
            hint=f"Types are {', '.join(MESSAGE_TYPES)}.",
        )
    context = {"library": {"name": "headwater-test", "version": "1"}}
    return {
        "type": type_,
        "userId": "headwater-test-user",
        **_SAMPLES[type_],
        "context": context,
    }


def as_test_message(body: Mapping[str, Any], source_id: str, now: datetime) -> Message:
    """Return a body as a message of a source, received now."""
    type_ = body.get("type")
    if type_ not in MESSAGE_TYPES:
        raise InvalidInputError(
            "The message needs a `type`.",
            field="message.type",
            hint=f"Types are {', '.join(MESSAGE_TYPES)}.",
        )
    message_id = new_id("test")
    wire = to_wire_time(now)
    times = {"timestamp": wire, "originalTimestamp": wire, "sentAt": wire, "version": 2}
    whole = {**times, **body, "messageId": message_id, "receivedAt": wire}
    return Message(
        source_id=source_id,
        message_id=message_id,
        type=str(type_),
        user_id=_text(body.get("userId")),
        anonymous_id=_text(body.get("anonymousId")),
        received_at=now,
        timestamp=now,
        body=whole,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
