"""The sender decides whether a message goes to warehouses."""

from typing import Any

import pytest

from headwater.warehouse.batch import is_wanted


@pytest.mark.parametrize(
    ("integrations", "wanted"),
    [
        (None, True),
        ({}, True),
        ({"All": False}, True),
        ({"Warehouses": True}, True),
        ({"Warehouses": False}, False),
        ({"Warehouses": {"all": False}}, False),
        ({"Warehouses": {"all": True}}, True),
        ({"Warehouses": {"warehouseIds": ["wh_1"]}}, True),
        ({"Warehouses": {"warehouseIds": ["wh_2"]}}, False),
        ({"Warehouses": {"all": False, "warehouseIds": ["wh_1"]}}, True),
    ],
)
def test_only_the_key_of_warehouses_decides(integrations: Any, wanted: bool) -> None:
    """`All: false` is about destinations, not about warehouses."""
    assert is_wanted({"integrations": integrations}, "wh_1") is wanted
