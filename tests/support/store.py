"""Give tests a real event store in a folder of their own.

In: `tmp_path`. Out: an open, migrated chDB store. A process can have one chDB path open at a time:
close a store before the next one opens (the fixture does), and never hold one for a whole session.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    """An empty store at this version's shape."""
    opened = EventStore.open(EventStoreSettings(), tmp_path)
    yield opened
    opened.close()
