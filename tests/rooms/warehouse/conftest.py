"""Houses around a warehouse, closed when their test ends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rooms.warehouse.support import House, build_house


@pytest.fixture
def new_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Return a function that builds a house with settings for its warehouses."""
    built: list[House] = []

    def build(**settings: Any) -> House:
        built.append(build_house(tmp_path, **settings))
        return built[-1]

    yield build
    for house in built:
        house.configdb.close()


@pytest.fixture
def house(new_house: Callable[..., House]) -> House:
    return new_house()
