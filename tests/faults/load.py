"""Keep a server under load through faults, and tell at the end whether anything was harmed.

In: a folder and a running server. Out: producers that send all the time, and the verdict on what
the server stored in the end.
"""

import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.checker import Stored, check
from tests.faults.ledger import Ledger, Sent, fingerprint, read_ledger
from tests.faults.producer import Producer, Target
from tests.support.processes import processes, wait_until_dead
from tests.support.server import DiedAtOnceError, Server, start

ROUNDS = int(os.environ.get("HEADWATER_FAULT_ROUNDS") or 1)
"""How many times over faults are played; operators may want more than the suite does."""
DIED_AT_A_POINT = 137
EVERYTHING = {"from_": "-1d", "to": "now"}
_PAGE = 1_000
_SETTLED_WITHIN_S = 60.0


def new_seed() -> int:
    """Return `FAULTS_SEED`, or a seed of this run; every failure names it."""
    return int(os.environ.get("FAULTS_SEED") or secrets.randbelow(1_000_000))


class Load:
    """Producers on one server, whose address may change."""

    def __init__(self, folder: Path, url: str, key: str, producers: int = 4) -> None:
        self.target = Target(url, key)
        self._path = folder / "ledger.jsonl"
        self._ledger = Ledger(self._path)
        self._producers = [
            Producer(f"p{number}", self.target, self._ledger, resends=number % 2 == 0)
            for number in range(producers)
        ]

    def start(self) -> None:
        for producer in self._producers:
            producer.start()

    def answers(self) -> Counter[str]:
        """Return how often which answer came."""
        return sum((producer.answers.copy() for producer in self._producers), Counter())

    def wait_for_acknowledgements(self, within_s: float) -> float:
        """Return after how many seconds every producer got a 201 of a request sent from now on."""
        began = time.monotonic()
        for producer in self._producers:
            while producer.acknowledged_at_s < began:
                waited_s = time.monotonic() - began
                assert waited_s < within_s, f"{producer.name} got no 201 for {waited_s:.0f} s"
                time.sleep(0.02)
        return time.monotonic() - began

    def end(self) -> None:
        """Tell the producers that their present batch is the last one."""
        for producer in self._producers:
            producer.stopping.set()

    def stop(self) -> Sent:
        """Let each producer finish its batch; return what they know."""
        self.end()
        for producer in self._producers:
            producer.join(30)
            assert not producer.is_alive(), f"{producer.name} got no answer from a living server"
        self._ledger.close()
        return read_ledger(self._path)


@contextmanager
def under_load(folder: Path, server: Server, producers: int = 4) -> Iterator[Load]:
    """Run producers for the length of a block."""
    key = server.cli("apps", "list")[0]["collector_application_id"]
    load = Load(folder, server.url, key, producers)
    load.start()
    try:
        load.wait_for_acknowledgements(30)
        yield load
    finally:
        load.end()


def stored_events(server: Server, app_id: str) -> Iterator[Any]:
    """Read back every event, page by page."""
    cursor: dict[str, Any] = {}
    while True:
        page = server.query(app_id, "events", **EVERYTHING, limit=_PAGE, **cursor)
        yield from page["events"]
        if not page.get("next_cursor"):
            return
        cursor = {"cursor": page["next_cursor"]}


def everything_stored(server: Server, app_id: str) -> Iterator[Stored]:
    """Return what the checker compares of every event."""
    for event in stored_events(server, app_id):
        content = event["request"]["body"]["content"]
        yield Stored(event["transaction_id"], fingerprint(content))


def assert_unharmed(server: Server, sent: Sent, why: str) -> None:
    """Every acknowledged event is stored exactly once as it was sent, and the reports agree."""
    app_id = server.cli("apps", "list")[0]["app_id"]
    server.settle(within_s=_SETTLED_WITHIN_S)
    stored = list(everything_stored(server, app_id))
    verdict = check(sent, stored)
    assert verdict.is_clean, f"{why}: {verdict}"
    assert server.query(app_id, "count", **EVERYTHING)["count"] == len(stored)
    series = server.query(app_id, "timeseries", **EVERYTHING, measure="calls", interval="hour")
    assert sum(line["total"] for line in series["series"]) == len(stored)


def start_to_die(data: Path, crash_at: str, env: Mapping[str, str] | None = None) -> Server | None:
    """Start a server that is to die at a point; None if it did so before it was even ready.

    That happens when an earlier death left work that leads straight to the point.
    """
    try:
        return start(data, {**(env or {}), "HEADWATER_CRASH_AT": crash_at})
    except DiedAtOnceError as err:
        if err.code != DIED_AT_A_POINT:
            raise
        wait_until_dead(pid for pid, args in processes("args").items() if str(data) in args)
        return None


def let_go(server: Server) -> None:
    """Let go of a dead server's pipes."""
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.http.clear()
