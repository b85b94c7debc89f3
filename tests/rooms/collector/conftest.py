"""A running Collector API for each test of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.collector_door import Door, open_door


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """The door with its default settings."""
    with open_door(tmp_path) as opened:
        yield opened
