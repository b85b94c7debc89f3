"""Messages become the rows that Segment's warehouses hold."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.model import Message
from headwater.warehouse.tables import Notice, Rows, event_table, schema_name

AT = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)


def _rows(*bodies: dict[str, Any]) -> Rows:
    rows = Rows(AT)
    for number, body in enumerate(bodies):
        rows.add(
            Message(
                source_id="src",
                message_id=body.get("messageId", f"m{number}"),
                type=body["type"],
                user_id=body.get("userId", ""),
                anonymous_id=body.get("anonymousId", ""),
                received_at=AT,
                timestamp=AT,
                body=body,
            )
        )
    return rows


def _only(rows: Rows, table: str) -> dict[str, Any]:
    (row,) = rows.tables[table].values()
    return row


def test_a_track_has_two_rows() -> None:
    """`tracks` holds what all events have; the event's own table holds the properties too."""
    rows = _rows({
        "type": "track",
        "event": "API Called",
        "properties": {"id": "p1", "status_code": 200, "latencyMS": 12.5, "Tags": ["a"]},
    })  # fmt: skip
    assert set(rows.tables) == {"tracks", "api_called"}
    assert "status_code" not in _only(rows, "tracks")
    called = _only(rows, "api_called")
    assert called["event"] == "api_called"
    assert called["event_text"] == "API Called"
    assert (called["status_code"], called["latency_ms"], called["tags"]) == (200, 12.5, '["a"]')
    assert called["id"] == "m0"
    assert rows.notices == {Notice("reserved_column", "api_called", "id"): 1}


def test_an_event_cannot_take_a_table_of_segments() -> None:
    """An event called `Users` gets a table with an underscore before its name."""
    rows = _rows({"type": "track", "event": "Users"})
    assert set(rows.tables) == {"tracks", "_users"}
    assert event_table("Identifies") == "_identifies"
    assert event_table("User") == "user"


def test_an_event_without_letters_has_no_table_of_its_own() -> None:
    """It stays in `tracks`, with its text."""
    rows = _rows({"type": "track", "event": "日本"})
    assert set(rows.tables) == {"tracks"}
    assert _only(rows, "tracks")["event_text"] == "日本"
    assert rows.notices == {Notice("nameless_event", "tracks", "event"): 1}


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_pages_and_screens_keep_name_and_category(kind: str) -> None:
    """Beside the properties, where browsers repeat them."""
    body = {"type": kind, "name": "Pricing", "category": None, "properties": {"url": "/p"}}
    row = _only(_rows(body), f"{kind}s")
    assert (row["name"], row["url"]) == ("Pricing", "/p")
    assert "category" not in row


def test_groups_and_aliases_name_both_ids() -> None:
    """`group_id` and `previous_id` are columns; traits of that name are dropped."""
    group = _only(
        _rows({"type": "group", "groupId": "67890", "traits": {"group_id": 1, "plan": "x"}}),
        "groups",
    )
    assert (group["group_id"], group["plan"]) == ("67890", "x")
    alias = _only(_rows({"type": "alias", "userId": "u", "previousId": "a"}), "aliases")
    assert (alias["user_id"], alias["previous_id"]) == ("u", "a")


def test_the_context_wins_over_a_trait_of_its_name() -> None:
    """Reserved is also what the message's context produces; the trait is counted."""
    rows = _rows({
        "type": "identify",
        "context": {"ip": "203.0.113.7"},
        "traits": {"context_ip": "6.6.6.6", "context_note": "mine"},
    })  # fmt: skip
    row = _only(rows, "identifies")
    assert (row["context_ip"], row["context_note"]) == ("203.0.113.7", "mine")
    assert rows.notices == {Notice("reserved_column", "identifies", "context_ip"): 1}


def test_of_two_keys_with_one_name_the_last_stands() -> None:
    """And the collision is counted."""
    rows = _rows({"type": "identify", "traits": {"userName": "a", "user_name": "b"}})
    assert _only(rows, "identifies")["user_name"] == "b"
    assert rows.notices == {Notice("same_column", "identifies", "user_name"): 1}


def test_a_message_that_comes_twice_has_one_row() -> None:
    """The id is the key."""
    body = {"type": "identify", "messageId": "same", "traits": {}}
    assert len(_rows(body, body).tables["identifies"]) == 1


def test_an_unknown_type_is_counted() -> None:
    """It is neither loaded nor does it stop the load."""
    rows = _rows({"type": "dance"})
    assert rows.tables == {}
    assert rows.notices == {Notice("unknown_type", "dance"): 1}


def test_a_schema_is_named_after_the_source() -> None:
    """The slug in snake case."""
    assert schema_name("headwater-api-analytics") == "headwater_api_analytics"
