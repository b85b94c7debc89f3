"""One world for the tests of a module; each test, and each example, uses an app of its own."""

from collections.abc import Iterator

import pytest

from tests.rooms.identity.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("data"))
    yield world
    world.close()
