"""Nested traits become columns."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headwater.warehouse.flatten import flatten
from headwater.warehouse.naming import to_snake


def test_objects_nest_into_names_at_any_depth() -> None:
    """Parent and child are joined by an underscore."""
    fields = {"company": {"metadata": {"plan": "scale", "seatCount": {"paid": 40}}}}
    assert list(flatten(fields)) == [
        ("company_metadata_plan", "scale"),
        ("company_metadata_seat_count_paid", 40),
    ]


def test_arrays_become_json_text_whole() -> None:
    """Neither the array nor the objects in it are taken apart."""
    assert list(flatten({"top": ["/a", {"b": [1, None]}], "none": []})) == [
        ("top", '["/a",{"b":[1,null]}]'),
        ("none", "[]"),
    ]


def test_null_and_empty_objects_are_no_values() -> None:
    """A column is made by its first value only."""
    assert list(flatten({"phone": None, "address": {}, "deep": {"er": {"x": None}}})) == []


def test_the_context_has_its_prefix() -> None:
    """Columns of the context begin with `context_`."""
    assert list(flatten({"userAgent": "x/1"}, "context")) == [("context_user_agent", "x/1")]


def test_keys_without_letters_add_no_name() -> None:
    """A leaf without a name is dropped, an object without one is looked into."""
    assert list(flatten({"$": 1, "§": {"a": 2}}, "context")) == [("context_a", 2)]


_LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
_OBJECTS = st.recursive(
    st.dictionaries(st.text(), _LEAVES, max_size=4),
    lambda inner: st.dictionaries(st.text(), inner | _LEAVES, max_size=4),
    max_leaves=12,
)


@given(_OBJECTS)
def test_every_named_leaf_arrives(fields: dict[str, Any]) -> None:
    """As many columns come out as leaves with a name and a value went in, none of them nested."""
    flat = list(flatten(fields))
    assert len(flat) == _count(fields)
    assert not any(isinstance(value, dict | list) or value is None for _, value in flat)


def _count(fields: dict[str, Any]) -> int:
    return sum(
        _count(value) if isinstance(value, dict) else int(value is not None and to_snake(key) != "")
        for key, value in fields.items()
    )
