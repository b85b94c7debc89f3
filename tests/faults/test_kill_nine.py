"""Kill -9, again and again, under load: what was acknowledged is there, and is there once.

Producers send numbered events all the time while the server is killed at random instants: its
process group as a whole, every single process of it, a server that is only just starting, or one
that has stored an event and not said so yet. On failure the seed is shown; `FAULTS_SEED=… pytest
tests/faults` repeats its instants.
"""

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.ledger import Sent
from tests.faults.load import ROUNDS, Load, assert_unharmed, let_go, new_seed
from tests.faults.producer import Target
from tests.support.processes import family_of, kill_all, wait_until_dead
from tests.support.server import environment, headwater, serving, start


def kill_group(data: Path, target: Target, chance: random.Random) -> None:
    """Kill the process group; the log's server has one of its own, and must follow by itself."""
    server = start(data)
    target.url = server.url
    time.sleep(chance.uniform(0.05, 1.0))
    family = family_of(server.process.pid)
    server.kill_group()
    let_go(server)
    wait_until_dead(family)


def kill_family(data: Path, target: Target, chance: random.Random) -> None:
    """Kill every process at the same instant: nobody has time to put anything in order."""
    server = start(data)
    target.url = server.url
    time.sleep(chance.uniform(0.05, 1.0))
    kill_all(family_of(server.process.pid))
    server.process.wait()
    let_go(server)


def kill_before_the_answer(data: Path, target: Target, chance: random.Random) -> None:
    """Let the server die when an entry is durable and nobody knows yet: clients send it again."""
    server = start(data, {"HEADWATER_CRASH_AT": f"eventlog.appended:{chance.randint(1, 30)}"})
    family = family_of(server.process.pid)
    target.url = server.url
    server.process.wait(30)
    let_go(server)
    wait_until_dead(family)


def kill_at_start(data: Path, _: Target, chance: random.Random) -> None:
    """Kill a server that is still opening, migrating or catching up."""
    process = subprocess.Popen(
        headwater("serve", "--data", str(data), "--port", "0"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env=environment(),
    )  # fmt: skip
    time.sleep(chance.uniform(0.3, 3.0))
    kill_all(family_of(process.pid))
    process.wait()


KILLS = {kill_group: 8, kill_family: 6, kill_before_the_answer: 3, kill_at_start: 3}


def produce_and_kill(folder: Path, seed: int) -> Sent:
    """Run the producers through all kills; return what they know at the end."""
    chance = random.Random(seed)
    kills = [kill for kill, times in KILLS.items() for _ in range(times * ROUNDS)]
    chance.shuffle(kills)
    with serving(folder / "data") as server:
        key = server.cli("apps", "list")[0]["collector_application_id"]
    load = Load(folder, server.url, key)
    load.start()
    for kill in kills:
        kill(folder / "data", load.target, chance)
    with serving(folder / "data") as server:
        load.target.url = server.url
        return load.stop()


@pytest.mark.slow
@pytest.mark.timeout(300 * ROUNDS)
def test_many_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Every acknowledged event is stored exactly once, and every report agrees."""
    seed = new_seed()
    sent = produce_and_kill(tmp_path, seed)
    assert len(sent.acknowledged) > 1_000, f"hardly any load (seed {seed})"
    assert sent.acknowledged < set(sent.intended), f"no kill hit a request (seed {seed})"
    with serving(tmp_path / "data") as server:
        assert_unharmed(server, sent, f"seed {seed}")
