"""What mappings make of a message."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.destinations import (
    Action,
    ActionField,
    FieldValue,
    Mapping,
    PathValue,
    default_mappings,
    make_items,
    of_type,
    read_mappings,
)
from headwater.destinations.checking import read_as
from headwater.destinations.fields import value_of
from tests.support.messages import a_message
from tests.unit.destinations.shapes import bodies, paths

UPSERT = Action(
    name="upsert",
    title="Upsert",
    trigger=of_type("identify"),
    fields=(
        ActionField(
            name="email", title="E-mail", is_required=True, default=PathValue("traits.email")
        ),
        ActionField(name="seats", title="Seats", kind="number", default=PathValue("traits.seats")),
        ActionField(name="extra", title="Extra", kind="object"),
    ),
)
NOTE = Action(name="note", title="Note", fields=(ActionField(name="text", title="Text"),))
ACTIONS = (UPSERT, NOTE)
BODY = {
    "userId": "u-1",
    "traits": {"email": "ann@example.com", "seats": "5", "tags": ["a"], "company": {"id": "acme"}},
}


def rule_of(given: dict[str, Any]) -> FieldValue:
    return read_as(Mapping, {"action": "note", "fields": {"text": given}}, "").fields["text"]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"kind": "path", "path": "traits.email"}, "ann@example.com"),
        ({"kind": "path", "path": "traits.none"}, None),
        ({"kind": "path", "path": ""}, BODY),
        ({"kind": "static", "value": [1, {"a": None}]}, [1, {"a": None}]),
        ({"kind": "template", "text": "{{ traits.company.id }}: {{traits.none}}{{userId}}"},
         "acme: u-1"),
        ({"kind": "template", "text": "{{traits.tags}}"}, '["a"]'),
        ({"kind": "first_of", "values": [
            {"kind": "path", "path": "traits.none"}, {"kind": "path", "path": "userId"}]}, "u-1"),
        ({"kind": "first_of", "values": []}, None),
        ({"kind": "if_exists", "path": "traits.email", "then": {"kind": "static", "value": 1}}, 1),
        ({"kind": "if_exists", "path": "traits.x", "then": {"kind": "static", "value": 1}}, None),
        ({"kind": "object", "fields": {
            "who": {"kind": "path", "path": "userId"}, "no": {"kind": "path", "path": "x"}}},
         {"who": "u-1"}),
    ],
)  # fmt: skip
def test_a_rule_makes_a_value(rule: dict[str, Any], value: Any) -> None:
    """Each kind of rule, as the JSON that is stored."""
    typed = rule_of(rule)
    assert value_of(typed, BODY) == value
    assert msgspec.to_builtins(typed)["kind"] == rule["kind"]


@given(paths, paths, bodies)
def test_laws_of_rules(one: str, other: str, body: dict[str, Any]) -> None:
    """First-of is if-exists with the path itself, and a template of one hole is its text."""
    first = {"kind": "path", "path": one}
    second = {"kind": "path", "path": other}
    either = rule_of({"kind": "first_of", "values": [first, second]})
    asked = rule_of({"kind": "if_exists", "path": one, "then": first, "otherwise": second})
    assert value_of(either, body) == value_of(asked, body)


@given(st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=50))
def test_a_template_without_holes_is_its_text(text: str) -> None:
    rule = rule_of({"kind": "template", "text": text})
    assert value_of(rule, BODY) == text


def test_a_new_destination_maps_what_its_type_suggests() -> None:
    """Actions with a trigger are mapped; others wait until somebody asks for them."""
    mappings = default_mappings(ACTIONS)
    assert [one.action for one in mappings] == ["upsert"]
    (item,) = make_items(mappings, ACTIONS, a_message(traits=BODY["traits"]))
    assert item.fields == {"email": "ann@example.com", "seats": 5}
    assert (item.mapping, item.error) == (mappings[0].id, "")
    assert make_items(mappings, ACTIONS, a_message(type="track")) == []


def test_several_mappings_of_one_message_keep_their_order() -> None:
    """A message may be sent in several ways; what is off is not."""
    mappings = read_mappings(
        [
            {"action": "note", "fields": {"text": {"kind": "template", "text": "hi {{userId}}"}}},
            {"action": "upsert", "trigger": {"field": "type", "op": "is", "value": "identify"}},
            {"action": "note", "enabled": False},
        ],
        ACTIONS,
    )
    items = make_items(mappings, ACTIONS, a_message(traits=BODY["traits"]))
    assert [(item.action, item.mapping) for item in items] == [
        ("note", mappings[0].id), ("upsert", mappings[1].id),
    ]  # fmt: skip
    assert items[0].fields == {"text": "hi u-1"}


@pytest.mark.parametrize(
    ("traits", "error"),
    [
        ({}, "email is needed and has no value"),
        ({"email": None}, "email is needed and has no value"),
        ({"email": {"deep": 1}}, "email must be of kind text"),
        ({"email": "a@example.com", "seats": "many"}, "seats must be of kind number"),
        ({"email": "a@example.com", "seats": True}, "seats must be of kind number"),
        ({"email": 5, "seats": 1.5}, ""),
    ],
)
def test_a_message_that_does_not_fit_says_which_field(traits: dict[str, Any], error: str) -> None:
    """It is not sent with a hole, and not lost without a word."""
    (item,) = make_items(default_mappings(ACTIONS), ACTIONS, a_message(traits=traits))
    assert item.error == error


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([{"action": "fly"}], "mappings[0].action"),
        ([{"action": "note", "fields": {"txt": {"kind": "static", "value": 1}}}],
         "mappings[0].fields.txt"),
        ([{"action": "note", "fields": {"text": {"kind": "code"}}}],
         "mappings[0].fields[...].kind"),
        ([{"action": "note", "fields": {"text": {"kind": "template", "text": "{{a"}}}],
         "mappings[0].fields[...]"),
        ([{"action": "note", "trigger": {"field": "a", "op": "so"}}], "mappings[0].trigger.op"),
        ([{"action": "note", "name": "n" * 101}], "mappings[0].name"),
        ([{"action": "note", "id": "one"}] * 2, "mappings"),
        ([{"action": "note"}] * 51, "mappings"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_named_by_its_path(given: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_mappings(given, ACTIONS)
    assert caught.value.field == field


def test_an_id_stays_when_a_mapping_is_changed() -> None:
    """What counts by mapping goes on counting."""
    (first,) = read_mappings([{"action": "note"}], ACTIONS)
    (again,) = read_mappings([msgspec.to_builtins(first) | {"name": "New"}], ACTIONS)
    assert again.id == first.id
    assert isinstance(again, Mapping)
