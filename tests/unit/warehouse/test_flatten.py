"""Nested traits become columns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.warehouse.flatten import Flattener
from headwater.warehouse.naming import to_snake


def flatten(fields: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the columns and values, those at last whose column was taken."""
    row: dict[str, Any] = {}
    clashes: list[tuple[str, Any]] = []
    Flattener(prefix).put(fields, row, lambda column, value: clashes.append((column, value)))
    return [*row.items(), *clashes]


def test_objects_nest_into_names_at_any_depth() -> None:
    """Parent and child are joined by an underscore."""
    fields = {"company": {"metadata": {"plan": "scale", "seatCount": {"paid": 40}}}}
    assert flatten(fields) == [
        ("company_metadata_plan", "scale"),
        ("company_metadata_seat_count_paid", 40),
    ]


def test_arrays_become_json_text_whole() -> None:
    """Neither the array nor the objects in it are taken apart."""
    assert flatten({"top": ["/a", {"b": [1, None]}], "none": []}) == [
        ("top", '["/a",{"b":[1,null]}]'),
        ("none", "[]"),
    ]


def test_null_and_empty_objects_are_no_values() -> None:
    """A column is made by its first value only."""
    assert flatten({"phone": None, "address": {}, "deep": {"er": {"x": None}}}) == []


def test_the_context_has_its_prefix() -> None:
    """Columns of the context begin with `context_`."""
    assert flatten({"userAgent": "x/1"}, "context") == [("context_user_agent", "x/1")]


def test_keys_without_letters_add_no_name() -> None:
    """A leaf without a name is dropped, an object without one is looked into."""
    assert flatten({"$": 1, "§": {"a": 2}}, "context") == [("context_a", 2)]


_LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
_OBJECTS = st.recursive(
    st.dictionaries(st.text(), _LEAVES, max_size=4),
    lambda inner: st.dictionaries(st.text(), inner | _LEAVES, max_size=4),
    max_leaves=12,
)


@given(_OBJECTS)
def test_every_named_leaf_arrives(fields: dict[str, Any]) -> None:
    """As many columns come out as leaves with a name and a value went in, none of them nested."""
    flat = flatten(fields)
    assert len(flat) == _count(fields)
    assert not any(isinstance(value, dict | list) or value is None for _, value in flat)


def _count(fields: dict[str, Any]) -> int:
    return sum(
        _count(value) if isinstance(value, dict) else int(value is not None and to_snake(key) != "")
        for key, value in fields.items()
    )


def test_what_was_learnt_of_keys_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same keys again, elsewhere, or more of them than are remembered: the same columns."""
    monkeypatch.setattr("headwater.warehouse.flatten._MOST_KEYS", 3)
    flattener = Flattener("", 12, {"id", "a_id"})
    fields = {"a": {"ID": 1, "b": 2}, "B": {"a": 3}, "id": 4, "Kept": 5, "a b": 6, "x" * 20: 7}
    rows: list[dict[str, Any]] = [{"kept": 0}, {"kept": 0}]
    clashes: list[tuple[str, Any]] = []
    for row in rows:
        flattener.put(fields, row, lambda *clash: clashes.append(clash))
    cut = next(column for column in rows[0] if column.startswith("x"))
    assert rows == [{"kept": 0, "a_b": 2, "b_a": 3, cut: 7}] * 2
    assert clashes == [("a_id", 1), ("id", 4), ("kept", 5), ("a_b", 6)] * 2
    assert len(cut) == 12
