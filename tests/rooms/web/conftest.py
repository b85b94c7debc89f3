"""The web on real engines."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.support.web import World, browse, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A new data directory with one login and one app."""
    async with open_world(tmp_path) as opened:
        opened.add_login()
        yield opened


@pytest.fixture
async def browser(world: World) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """A browser that nobody has logged in with."""
    async with browse(world) as client:
        yield client
