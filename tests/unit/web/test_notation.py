"""Conditions and values as they stand in a form."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.destinations import (
    ALWAYS,
    Condition,
    FieldValue,
    Mapping,
    PathValue,
    StaticValue,
    TemplateValue,
)
from headwater.web.destinations.notation import (
    describe_condition,
    read_condition,
    read_value,
    write_condition,
    write_value,
)
from tests.unit.destinations.shapes import conditions


@given(conditions)
def test_what_a_form_shows_is_what_it_saves(condition: Condition) -> None:
    """Opening a form and saving it unchanged changes nothing, however deep the condition is."""
    typed = read_condition(write_condition(condition), "when")
    assert msgspec.convert(typed, Condition) == condition


@given(
    st.one_of(
        st.sampled_from(["", "traits.email", "a.0.b"]).map(PathValue),
        st.text('ab {}"\n', max_size=8).map(StaticValue),
        st.sampled_from([5, True, None, [1], {"a": "b"}]).map(StaticValue),
        st.sampled_from(["{{a}} b", "{{a}}", " {{a}}{{b}} ", "plain", "{{a}}\n{{b}}"]).map(
            TemplateValue
        ),
    )
)
def test_a_value_comes_back_as_it_was(rule: FieldValue) -> None:
    """Text, path, template, or its JSON."""
    given = {"action": "a", "fields": {"v": read_value(write_value(rule), "v")}}
    assert msgspec.convert(given, Mapping).fields["v"] == rule


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"all": []}),
        ("type is track", {"field": "type", "op": "is", "value": "track"}),
        (
            "type is track\n\n properties.status at_least 500 ",
            {
                "all": [
                    {"field": "type", "op": "is", "value": "track"},
                    {"field": "properties.status", "op": "at_least", "value": 500},
                ]
            },
        ),
        ('userId is "500"', {"field": "userId", "op": "is", "value": "500"}),
        ("event is Order Placed", {"field": "event", "op": "is", "value": "Order Placed"}),
        ("traits.email exists", {"field": "traits.email", "op": "exists"}),
        ('{"any": []}', {"any": []}),
    ],
)
def test_lines_are_tests_that_must_all_hold(text: str, found: Any) -> None:
    assert read_condition(text, "when") == found


def test_what_fits_into_lines_is_shown_as_lines() -> None:
    """JSON is for groups within groups alone."""
    test, other = Condition(field="type", op="is", value="track"), Condition(field="a", op="exists")
    assert write_condition(ALWAYS) == ""
    assert write_condition(test) == "type is track"
    assert write_condition(Condition(all=(test, other))) == "type is track\na exists"
    assert write_condition(Condition(any=(test, other))).startswith("{")


@pytest.mark.parametrize("text", ["type", "type is", "traits.email exists now", "{nonsense"])
def test_what_is_no_condition_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_condition(text, "when")
    assert caught.value.field == "when"


def test_a_condition_reads_as_a_sentence() -> None:
    """In one line, with brackets where they matter."""
    test = Condition(field="type", op="is", value="track")
    both = Condition(all=(test, Condition(any=(test, Condition(field="a", op="exists")))))
    assert describe_condition(ALWAYS) == "every message"
    assert describe_condition(both) == "type is track and (type is track or a exists)"
