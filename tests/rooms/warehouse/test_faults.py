"""Each fault ends with the right state and a clear word, and needs no hand once its cause is gone.

One engine of each type serves all tests here; each test has a source, and so a schema, of its own.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.rooms.warehouse.deaths import Mortal
from tests.rooms.warehouse.places import Place, Places, open_places
from tests.rooms.warehouse.support import House

ROUNDS = {"postgres": 50, "filesystem": 30, "duckdb": 15, "clickhouse": 5}
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module", params=ROUNDS)
def places(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Places]:
    """One running engine."""
    with open_places(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


@pytest.fixture
def house(new_house: Callable[..., House]) -> House:
    return new_house(source_name=f"Source {next(_NUMBERS)}")


@pytest.fixture
def place(places: Places, house: House) -> Place:
    """The schema of the house's source, which has a name of its own in this engine."""
    return places.new(house.schema)


async def test_loads_die_at_any_point_and_no_row_is_lost_or_doubled(
    house: House, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred rounds over four engines; readers see whole batches at every instant."""
    rounds = ROUNDS[place.type_and_settings()[0]]
    mortal = Mortal(house, place, 20261123, monkeypatch)
    await mortal.live(rounds)
    assert sum(mortal.deaths.values()) > rounds / 3
