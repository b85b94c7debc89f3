"""One real store for the tests of a module; each test uses an app of its own."""

import itertools
from collections.abc import Iterator

import pytest

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.profiles import Profiles

_APPS = itertools.count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    store = EventStore.open(EventStoreSettings(), tmp_path_factory.mktemp("data"))
    yield store
    store.close()


@pytest.fixture
def profiles(store: EventStore) -> Profiles:
    return Profiles(store)


@pytest.fixture
def app_id() -> str:
    return f"app_{next(_APPS)}"
