"""Kill -9, again and again, under load: what was acknowledged is there, and is there once.

Producers send numbered events all the time while the server is killed at random instants: its
process group as a whole, every single process of it, a server that is only just starting, or one
that has stored an event and not said so yet. On failure the seed is shown; `FAULTS_SEED=… pytest
tests/faults` repeats its instants.
"""

import os
import random
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Stored, check
from tests.faults.ledger import Ledger, Sent, fingerprint, read_ledger
from tests.faults.producer import Producer, Target
from tests.support.processes import family_of, kill_all, wait_until_dead
from tests.support.server import Server, environment, headwater, serving, start

PAGE = 1_000
EVERYTHING = {"from_": "-1d", "to": "now"}


def kill_group(data: Path, target: Target, chance: random.Random) -> None:
    """Kill the process group; the log's server has one of its own, and must follow by itself."""
    server = start(data)
    target.url = server.url
    time.sleep(chance.uniform(0.05, 1.0))
    family = family_of(server.process.pid)
    server.kill_group()
    leave(server)
    wait_until_dead(family)


def kill_family(data: Path, target: Target, chance: random.Random) -> None:
    """Kill every process at the same instant: nobody has time to put anything in order."""
    server = start(data)
    target.url = server.url
    time.sleep(chance.uniform(0.05, 1.0))
    kill_all(family_of(server.process.pid))
    server.process.wait()
    leave(server)


def kill_before_the_answer(data: Path, target: Target, chance: random.Random) -> None:
    """Let the server die when an entry is durable and nobody knows yet: clients send it again."""
    server = start(data, {"HEADWATER_CRASH_AT": f"eventlog.appended:{chance.randint(1, 30)}"})
    family = family_of(server.process.pid)
    target.url = server.url
    server.process.wait(30)
    leave(server)
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


def leave(server: Server) -> None:
    """Let go of a dead server's pipes."""
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.http.clear()


def everything_stored(server: Server, app_id: str) -> Iterator[Stored]:
    """Read back every event, page by page."""
    cursor: dict[str, Any] = {}
    while True:
        page = server.query(app_id, "events", **EVERYTHING, limit=PAGE, **cursor)
        for event in page["events"]:
            content = event["request"]["body"]["content"]
            yield Stored(event["transaction_id"], fingerprint(content))
        if not page.get("next_cursor"):
            return
        cursor = {"cursor": page["next_cursor"]}


def produce_and_kill(folder: Path, seed: int) -> Sent:
    """Run the producers through all kills; return what they know at the end."""
    chance = random.Random(seed)
    kills = [kill for kill, times in KILLS.items() for _ in range(times)]
    chance.shuffle(kills)
    with serving(folder / "data") as server:
        target = Target(server.url, server.cli("apps", "list")[0]["collector_application_id"])
    ledger = Ledger(folder / "ledger.jsonl")
    producers = [
        Producer(f"p{number}", target, ledger, resends=number % 2 == 0) for number in range(4)
    ]
    for producer in producers:
        producer.start()
    for kill in kills:
        kill(folder / "data", target, chance)
    with serving(folder / "data") as server:
        target.url = server.url
        for producer in producers:
            producer.stopping.set()
        for producer in producers:
            producer.join(30)
            assert not producer.is_alive(), f"{producer.name} got no answer from a living server"
    ledger.close()
    return read_ledger(folder / "ledger.jsonl")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Every acknowledged event is stored exactly once, and every report agrees."""
    seed = int(os.environ.get("FAULTS_SEED") or secrets.randbelow(1_000_000))
    sent = produce_and_kill(tmp_path, seed)
    assert len(sent.acknowledged) > 1_000, f"hardly any load (seed {seed})"
    assert sent.acknowledged < set(sent.intended), f"no kill hit a request (seed {seed})"
    with serving(tmp_path / "data") as server:
        app_id = server.cli("apps", "list")[0]["app_id"]
        server.settle()
        stored = list(everything_stored(server, app_id))
        verdict = check(sent, stored)
        assert verdict.is_clean, f"seed {seed}: {verdict}"
        assert server.query(app_id, "count", **EVERYTHING)["count"] == len(stored)
        series = server.query(app_id, "timeseries", **EVERYTHING, measure="calls", interval="hour")
        assert sum(line["total"] for line in series["series"]) == len(stored)
