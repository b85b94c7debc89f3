"""From what a client sent to a message, or to the reason why not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.model import Message
from headwater.tracking.normalise import REASONS, Reception, Refusal, normalise

NOW = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)


def receive(item: dict[str, Any], **facts: Any) -> Message | Refusal:
    return normalise(item, "src_1", Reception(received_at=NOW, **facts))


def message(item: dict[str, Any], **facts: Any) -> Message:
    result = receive(item, **facts)
    assert isinstance(result, Message), result
    return result


def test_an_identify_of_the_python_library() -> None:
    """Nulls are absent, times are stamped, the rest is untouched."""
    got = message(
        {
            "integrations": {},
            "anonymousId": None,
            "timestamp": "2026-11-23T11:59:59.301+00:00",
            "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
            "type": "identify",
            "userId": "12345",
            "traits": {"company": {"id": "67890"}, "plan": None},
            "messageId": "m-1",
        },
        sent_at="2026-11-23T12:00:00.000000+00:00",
        ip="203.0.113.7",
    )
    assert got.body == {
        "integrations": {},
        "timestamp": "2026-11-23T11:59:59.551Z",
        "originalTimestamp": "2026-11-23T11:59:59.301Z",
        "sentAt": "2026-11-23T12:00:00.000Z",
        "receivedAt": "2026-11-23T12:00:00.250Z",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "type": "identify",
        "userId": "12345",
        "traits": {"company": {"id": "67890"}, "plan": None},
        "messageId": "m-1",
        "version": 2,
    }
    assert (got.message_id, got.user_id, got.anonymous_id) == ("m-1", "12345", "")


def test_keys_of_the_transport_go_no_further() -> None:
    """`writeKey` and `_metadata` are stripped wherever browsers and Node put them."""
    got = message({"type": "page", "userId": "u", "writeKey": "k", "_metadata": {"bundled": []}})
    assert not {"writeKey", "_metadata"} & got.body.keys()


def test_the_envelope_completes_items_and_items_win() -> None:
    """`context` and `integrations` of a batch are merged into each item, key by key."""
    got = message(
        {
            "type": "track",
            "event": "E",
            "userId": "u",
            "context": {"locale": "de", "app": {"name": "A"}},
        },
        context={"locale": "en", "timezone": "UTC"},
        integrations={"All": False},
    )
    assert got.body["context"] == {"locale": "de", "timezone": "UTC", "app": {"name": "A"}}
    assert got.body["integrations"] == {"All": False}


@pytest.mark.parametrize(
    ("sent", "kept"), [(7, "7"), (7.0, "7"), (7.5, "7.5"), (0, "0"), ("0", "0")]
)
def test_numbers_as_ids_become_text(sent: object, kept: str) -> None:
    """An id is opaque text, however a client writes it."""
    assert message({"type": "identify", "userId": sent}).user_id == kept


def test_the_path_says_the_type() -> None:
    """On `/v1/track` every message is a track, whatever it calls itself."""
    got = message({"type": "identify", "event": "E", "userId": "u"}, type="track")
    assert got.type == got.body["type"] == "track"


def test_a_missing_message_id_is_made() -> None:
    """Two messages without an id are two messages."""
    item = {"type": "identify", "userId": "u"}
    first, second = message(dict(item)), message(dict(item))
    assert first.message_id != second.message_id
    assert first.body["messageId"] == first.message_id


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"userId": "u"}, "invalid_type"),
        ({"type": "purchase", "userId": "u"}, "invalid_type"),
        ({"type": ["identify"], "userId": "u"}, "invalid_type"),
        ({"type": "identify"}, "no_user_anon_id"),
        ({"type": "identify", "userId": ""}, "no_user_anon_id"),
        ({"type": "identify", "userId": None, "anonymousId": None}, "no_user_anon_id"),
        ({"type": "identify", "userId": ["u"]}, "id_not_string"),
        ({"type": "identify", "userId": True}, "id_not_string"),
        ({"type": "track", "userId": "u"}, "event_not_defined"),
        ({"type": "track", "userId": "u", "event": None}, "event_not_defined"),
        ({"type": "track", "userId": "u", "event": 5}, "event_not_string"),
        ({"type": "group", "userId": "u"}, "id_required"),
        ({"type": "group", "groupId": "g"}, "no_user_anon_id"),
        ({"type": "alias", "userId": "u"}, "id_required"),
        ({"type": "alias", "previousId": "p"}, "id_required"),
        ({"type": "identify", "userId": "u", "traits": []}, "traits_not_object"),
        (
            {"type": "track", "event": "E", "userId": "u", "properties": "p"},
            "properties_not_object",
        ),
        ({"type": "identify", "userId": "u", "context": 1}, "context_not_object"),
        ({"type": "identify", "userId": "u", "integrations": "x"}, "integrations_not_object"),
        ({"type": "page", "userId": "u", "name": 1}, "name_not_string"),
        ({"type": "page", "userId": "u", "category": {}}, "category_not_string"),
        ({"type": "identify", "userId": "u", "messageId": "m" * 101}, "message_id_too_long"),
    ],
)
def test_a_faulty_item_is_refused_with_segments_code(item: dict[str, Any], code: str) -> None:
    """Each fault has its own code, and each code a sentence for people."""
    assert receive(item) == Refusal(code)
    assert REASONS[code]


def test_good_edges_pass() -> None:
    """An empty event name, a message id of 100 characters and an anonymous group are fine."""
    message({"type": "track", "userId": "u", "event": ""})
    message({"type": "identify", "userId": "u", "messageId": "m" * 100})
    message({"type": "group", "anonymousId": "a", "groupId": 5})
    message({"type": "alias", "userId": "u", "previousId": "p"})


@pytest.mark.parametrize(
    ("context", "facts", "ip"),
    [
        ({}, {}, None),
        ({"direct": True}, {}, "198.51.100.9"),
        ({"library": {"name": "analytics.js"}}, {}, "198.51.100.9"),
        ({"library": {"name": "analytics-ios"}}, {}, "198.51.100.9"),
        ({"library": {"name": "analytics-python"}}, {}, None),
        ({"library": "analytics.js"}, {}, None),
        ({}, {"is_client_side": True}, "198.51.100.9"),
        ({"ip": "0.0.0.0", "direct": True}, {}, "0.0.0.0"),  # noqa: S104 - "do not record"
        ({"ip": "192.0.2.1"}, {"is_client_side": True}, "192.0.2.1"),
    ],
)
def test_the_address_is_filled_in_for_devices_only(
    context: dict[str, Any], facts: dict[str, Any], ip: str | None
) -> None:
    """A server's address says nothing about its user; a given address is never overwritten."""
    got = message(
        {"type": "identify", "userId": "u", "context": context}, ip="198.51.100.9", **facts
    )
    assert got.body["context"].get("ip") == ip
