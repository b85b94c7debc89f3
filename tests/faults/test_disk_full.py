"""A disk that fills up, and the log at its own limit: refused honestly, whole again by itself.

While there is no room nothing is acknowledged that cannot be kept. When there is room again the
same process goes on: nobody restarts anything.
"""

import os
import time
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from headwater.base.errors import UnavailableError
from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from tests.faults.load import ROUNDS, assert_unharmed, under_load
from tests.faults.small_disk import small_disk
from tests.support.calls import NOON
from tests.support.eventually import eventually
from tests.support.server import Server, serving

DISK_BYTES = 500_000_000
FULL_S = 15.0
"""Longer than a request waits for the log before it is refused."""
BACK_WITHIN_S = 40.0
STORE_BYTES = 50_000_000
LOG_BYTES = 2_000_000
PROFILE_BYTES = 100_000
HONEST = {"201", "503"}


@pytest.mark.slow
@pytest.mark.timeout(150 * ROUNDS)
def test_a_full_disk_loses_nothing_and_heals(tmp_path: Path) -> None:
    """Log, store and configuration are on the same full disk."""
    with (
        small_disk(tmp_path / "disk", DISK_BYTES) as disk,
        serving(disk.folder / "data") as server,
        under_load(tmp_path, server) as load,
    ):
        for _ in range(ROUNDS):
            before = load.answers()
            with disk.full():
                time.sleep(FULL_S)
                refused = (load.answers() - before)["503"]
            assert refused, "the disk was never full"
            load.wait_for_acknowledgements(BACK_WITHIN_S)
        assert set(load.answers()) <= HONEST, load.answers()
        assert server.process.poll() is None
        assert_unharmed(server, load.stop(), "after a full disk")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_full_store_delays_and_loses_nothing(tmp_path: Path) -> None:
    """Only the store's disk is full: clients notice nothing, and what waits is stored later."""
    store = tmp_path / "data" / "eventstore"
    with (
        small_disk(store, DISK_BYTES) as disk,
        serving(tmp_path / "data") as server,
        under_load(tmp_path, server) as load,
    ):
        with disk.full():
            eventually(lambda: "ingest_waits" in (server.data / "stderr.log").read_text())
            load.wait_for_acknowledgements(5)
        assert set(load.answers()) == {"201"}
        assert_unharmed(server, load.stop(), "after a full store")


def fill_log(server: Server, key: str) -> None:
    """Send large profiles until one is refused."""
    for _ in range(LOG_BYTES // PROFILE_BYTES * 3):
        profile = {"user_id": "user_1", "metadata": {"ballast": os.urandom(PROFILE_BYTES).hex()}}
        reply = server.ask("POST", "/v1/users", profile, {"x-moesif-application-id": key})
        if reply.status == 503:
            assert reply.headers["retry-after"]
            return
        assert reply.status == 201
    raise AssertionError("the log was never full")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_full_log_refuses_until_it_was_read(tmp_path: Path) -> None:
    """At the log's own limit clients are told to wait; what was stored makes room by itself."""
    limit = {"HEADWATER_EVENTLOG__MAX_DISK_BYTES": str(LOG_BYTES)}
    with (
        serving(tmp_path / "data", limit) as server,
        under_load(tmp_path, server) as load,
    ):
        for _ in range(2 * ROUNDS):
            fill_log(server, load.target.key)
            load.wait_for_acknowledgements(BACK_WITHIN_S)
        assert set(load.answers()) <= HONEST, load.answers()
        assert_unharmed(server, load.stop(), "after a full log")


async def test_a_store_on_a_full_disk_says_so(tmp_path: Path) -> None:
    """An insert that was not kept raises; the same one is kept when there is room again."""
    rows = pa.table(
        {"app_id": ["app_1"], "reject_id": ["rej_1"], "received_at": [NOON], "kind": ["event"]}
    )
    with (
        small_disk(tmp_path / "eventstore", STORE_BYTES) as disk,
        closing(EventStore.open(EventStoreSettings(), tmp_path)) as store,
    ):
        with disk.full(), pytest.raises(UnavailableError):
            await store.insert("rejects", rows, token="t1")
        await store.insert("rejects", rows, token="t1")
        assert await store.select("SELECT count() AS n FROM rejects") == [{"n": 1}]
