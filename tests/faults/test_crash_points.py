"""Death at every named point of the source: what was acknowledged is stored once all the same.

The points are read from the source, so that nobody can add one and forget it: those on the way of
a call are played here, under load, one after the other on the same data; each other one must be
named by a test of its own room. On failure the seed is shown; `FAULTS_SEED=…` repeats it.
"""

import random
import re
from pathlib import Path

import pytest

from tests.faults.load import (
    DIED_AT_A_POINT,
    ROUNDS,
    Load,
    assert_unharmed,
    let_go,
    new_seed,
    start_to_die,
)
from tests.support.processes import family_of, wait_until_dead
from tests.support.server import SOURCE, serving

_POINT = re.compile(r'crash_point\(\s*f?"([^"]*)"')
_ON_THE_WAY = ("collector.", "eventlog.", "ingest.")
_LATEST_PASS = 4
_DIES_WITHIN_S = 30


def named_points() -> list[str]:
    """Return every crash point of the source."""
    texts = (path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    return sorted({point for text in texts for point in _POINT.findall(text)})


POINTS = [point for point in named_points() if point.startswith(_ON_THE_WAY)]
ELSEWHERE = [point for point in named_points() if point not in POINTS]


def test_the_points_are_found() -> None:
    """The search sees the points that were there when it was written."""
    assert {"collector.before_append", "eventlog.appended", "ingest.inserted"} <= set(POINTS)
    assert {"tracking.before_append", "warehouse.widened"} <= set(ELSEWHERE)


@pytest.mark.parametrize("point", ELSEWHERE)
def test_points_off_the_way_are_played_by_their_rooms(point: str) -> None:
    """A test of the same room names the point."""
    room, _, name = point.partition(".")
    folder = Path(__file__).parents[1] / "rooms" / room
    texts = [path.read_text("utf-8") for path in folder.glob("*.py")]
    assert any(re.search(rf'["{{(.]{name}\b', text) for text in texts)


@pytest.mark.slow
@pytest.mark.timeout(200 * ROUNDS)
def test_death_at_each_point_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """Under load; the server is started again each time and goes on by itself."""
    seed = new_seed()
    chance = random.Random(seed)
    deaths = [(point, chance.randint(1, _LATEST_PASS)) for point in POINTS * ROUNDS]
    chance.shuffle(deaths)
    with serving(tmp_path / "data") as server:
        key = server.cli("apps", "list")[0]["collector_application_id"]
    load = Load(tmp_path, server.url, key)
    load.start()
    for point, passes in deaths:
        mortal = start_to_die(tmp_path / "data", f"{point}:{passes}")
        if mortal is None:
            continue
        family = family_of(mortal.process.pid)
        load.target.url = mortal.url
        code = mortal.process.wait(_DIES_WITHIN_S)
        assert code == DIED_AT_A_POINT, f"{point}:{passes}, seed {seed}"
        let_go(mortal)
        wait_until_dead(family)
    with serving(tmp_path / "data") as server:
        load.target.url = server.url
        load.wait_for_acknowledgements(30)
        assert_unharmed(server, load.stop(), f"seed {seed}, {deaths}")
