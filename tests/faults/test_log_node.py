"""The log's server dies or freezes under load, and nobody does anything about it.

Our own process must notice, start it again, and go on: clients see a 503 with `Retry-After` at
worst, what was acknowledged is stored once. The main process never restarts.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.load import ROUNDS, Load, assert_unharmed, new_seed, under_load
from tests.support.processes import family_of, processes
from tests.support.server import Server, serving

FROZEN_S = 30.0
BACK_WITHIN_S = 25.0
HONEST = {"201", "503"}


def log_servers(server: Server) -> list[int]:
    """Return the pids of the log's server: one, or none while it starts again."""
    family, names = set(family_of(server.process.pid)), processes("comm")
    return [pid for pid in family if names.get(pid, "").startswith("nats-server")]


def guards(server: Server) -> list[int]:
    """Return the pids of whoever holds the log's server to our life."""
    family, commands = set(family_of(server.process.pid)), processes("args")
    return [pid for pid in family if "guard.py" in commands.get(pid, "")]


def kill_each(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Stop every server of the log for the length of a block, also those that are started anew."""
    thawing = threading.Event()

    def freeze() -> None:
        while not thawing.wait(0.2):
            for pid in log_servers(server):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)

    freezer = threading.Thread(target=freeze, name="freezer")
    freezer.start()
    try:
        yield
    finally:
        thawing.set()
        freezer.join()
        for pid in log_servers(server):
            os.kill(pid, signal.SIGCONT)


def finish(server: Server, load: Load, why: str) -> None:
    """End the load, and compare."""
    answers = load.answers()
    assert set(answers) <= HONEST, f"{why}: {answers}"
    assert server.process.poll() is None, why
    assert_unharmed(server, load.stop(), why)


@pytest.mark.slow
@pytest.mark.timeout(120 * ROUNDS)
def test_a_killed_log_server_is_started_again(tmp_path: Path) -> None:
    """Itself or its guard, at random instants, one of them while the other just starts."""
    seed = new_seed()
    chance = random.Random(seed)
    victims = [log_servers, guards, log_servers, guards, log_servers] * ROUNDS
    with serving(tmp_path / "data") as server, under_load(tmp_path, server) as load:
        for find in victims:
            time.sleep(chance.uniform(0.0, 1.0))
            kill_each(find(server))
            load.wait_for_acknowledgements(BACK_WITHIN_S)
        finish(server, load, f"seed {seed}")


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_frozen_log_server_is_waited_for_or_replaced(tmp_path: Path) -> None:
    """Thirty seconds without a log: refused honestly meanwhile, and whole afterwards."""
    with serving(tmp_path / "data") as server, under_load(tmp_path, server) as load:
        with frozen(server):
            time.sleep(FROZEN_S)
            refused = load.answers()["503"]
        assert refused, "nobody noticed"
        load.wait_for_acknowledgements(BACK_WITHIN_S)
        finish(server, load, "frozen")
