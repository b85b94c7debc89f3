"""What a condition asks of a message, and how a wrong one is named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from headwater.base.errors import InvalidInputError
from headwater.destinations import ALWAYS, Condition, holds
from headwater.destinations.checking import read_as
from tests.unit.destinations.shapes import bodies, conditions, single_tests

ORDER = {
    "type": "track",
    "event": "Order Placed",
    "properties": {
        "total": 99.5,
        "paid": True,
        "note": None,
        "products": [{"sku": "A-1", "price": 10}, {"sku": "B-2", "price": 89.5}],
        "tags": ["new", "vip"],
    },
    "context": {"ip": "192.0.2.1"},
}


@pytest.mark.parametrize(
    ("field", "op", "value", "passes"),
    [
        ("type", "is", "track", True),
        ("type", "is_not", "track", False),
        ("event", "is", "order placed", False),
        ("event", "starts_with", "Order", True),
        ("event", "ends_with", "Placed", True),
        ("event", "contains", "der Pl", True),
        ("event", "not_contains", "Refund", True),
        ("properties.total", "is", 99.5, True),
        ("properties.total", "is", "99.50", True),
        ("properties.total", "greater", 99, True),
        ("properties.total", "at_least", "99.5", True),
        ("properties.total", "less", 99.5, False),
        ("properties.total", "at_most", 99.5, True),
        ("properties.paid", "is", True, True),
        ("properties.paid", "is", "true", True),
        ("properties.paid", "is", 1, False),
        ("properties.paid", "at_least", 0, False),
        ("event", "greater", 0, False),
        ("properties.note", "exists", None, False),
        ("properties.note", "missing", None, True),
        ("properties.note.deep", "missing", None, True),
        ("properties.none", "is_not", "x", True),
        ("properties.products.price", "greater", 50, True),
        ("properties.products.0.price", "greater", 50, False),
        ("properties.products.9.price", "exists", None, False),
        ("properties.tags", "is", "vip", True),
        ("properties.tags", "is_not", "vip", False),
        ("properties", "exists", None, True),
        ("properties", "is", "x", False),
    ],
)
def test_a_test_reads_one_field(field: str, op: Any, value: Any, passes: bool) -> None:
    """Case counts, null is nothing, a list passes by one of its elements, a flag is no number."""
    assert holds(Condition(field=field, op=op, value=value), ORDER) is passes


@given(conditions, bodies)
def test_groups_are_and_and_or(condition: Condition, body: dict[str, Any]) -> None:
    """Order and repetition change nothing; all of nothing holds; a group of one is its part."""
    here = holds(condition, body)
    assert holds(Condition(all=(condition, ALWAYS)), body) is here
    assert holds(Condition(any=(condition, condition)), body) is here
    assert holds(Condition(any=(condition, ALWAYS)), body) is True
    parts = condition.all or condition.any or ()
    turned = tuple(reversed(parts))
    if condition.all:
        assert holds(Condition(all=turned), body) is all(holds(part, body) for part in parts)
    if condition.any:
        assert holds(Condition(any=turned), body) is any(holds(part, body) for part in parts)


@given(single_tests(), bodies)
def test_not_is_the_opposite(test: Condition, body: dict[str, Any]) -> None:
    """`is_not`, `not_contains` and `missing` hold exactly where their opposite does not."""
    pairs = {"is_not": "is", "not_contains": "contains", "missing": "exists"}
    if test.op in pairs:
        opposite = msgspec.structs.replace(test, op=pairs[test.op])
        assert holds(test, body) is not holds(opposite, body)


@given(conditions)
def test_a_condition_survives_its_json(condition: Condition) -> None:
    """What is stored is read back as it was."""
    assert read_as(Condition, msgspec.to_builtins(condition), "when") == condition


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "when"),
        ({"field": "a", "all": []}, "when"),
        ({"field": "a"}, "when"),
        ({"field": "a..b", "op": "exists"}, "when"),
        ({"field": "a", "op": "like", "value": "x"}, "when.op"),
        ({"field": "a", "op": "is"}, "when"),
        ({"field": "a", "op": "exists", "value": 1}, "when"),
        ({"field": "a", "op": "less", "value": "many"}, "when"),
        ({"field": "a", "op": "less", "value": True}, "when"),
        ({"any": []}, "when"),
        ({"all": [], "op": "is"}, "when"),
        ({"all": [{"any": [{"field": "a", "op": 5}]}]}, "when.all[0].any[0].op"),
        ({"all": [{"field": "a", "op": "exists", "valu": 1}]}, "when.all[0]"),
        ({"all": [{"field": "a", "op": "exists"}] * 51}, "when"),
        ({"field": "a", "op": "is", "value": "x" * 1001}, "when"),
    ],
)
def test_a_wrong_condition_is_named_by_its_path(given: Any, field: str) -> None:
    """The error says where in the document, before anything is stored."""
    with pytest.raises(InvalidInputError) as caught:
        read_as(Condition, given, "when")
    assert caught.value.field == field
