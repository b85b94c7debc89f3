"""Whether the engines can really be used."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.base.errors import UnavailableError
from headwater.base.settings import EventStoreSettings
from headwater.eventlog import Stream
from headwater.eventstore import EventStore
from headwater.web.health import write_probe
from tests.support.web import PAGE, World, browse, open_world

Browser = AsyncTestClient[Litestar]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    """A store that a test may break."""
    opened = EventStore.open(EventStoreSettings(), tmp_path)
    yield opened
    opened.close()


async def test_health_is_green_only_when_everything_is_usable(
    tmp_path: Path, store: EventStore
) -> None:
    """A store that is gone turns it red, names the engine, and gives nothing away."""
    async with open_world(tmp_path, store) as world:
        async with browse(world) as browser:
            good = await browser.get("/health")
            assert good.status_code == 200
            assert set(good.json()["checks"]) == {"log", "store", "configdb", "disk"}
        store.close()
        async with browse(world) as browser:
            ill = await browser.get("/health")
            page = await browser.get("/health", headers=PAGE)
    assert (ill.status_code, page.status_code) == (503, 503)
    assert not ill.json()["checks"]["store"]["ok"]
    assert ill.json()["checks"]["configdb"]["ok"]
    assert str(tmp_path) not in ill.text + page.text


async def test_health_is_tested_once_for_many_who_ask(world: World, browser: Browser) -> None:
    """A crowd of load balancers costs one round of tests."""
    before = (await world.services.log.state(Stream.CALLS)).last_offset
    for _ in range(20):
        assert (await browser.get("/health")).status_code == 200
    assert (await world.services.log.state(Stream.CALLS)).last_offset <= before + 1


def test_a_disk_that_is_nearly_full_is_not_usable(tmp_path: Path) -> None:
    """Before it is full, and without leaving a file behind."""
    write_probe(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnavailableError):
        write_probe(tmp_path, 1 << 60)
