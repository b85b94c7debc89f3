"""Receiving and delivering alone, in a process that may die: SQLite and the real log, no store.

In: `python -m tests.support.house_two DATA`. Out: the address on the first line of stdout; then it
serves until it is terminated, or dies where `HEADWATER_CRASH_AT` says.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
import uvicorn

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.base.settings import (
    ConfigDbSettings,
    EventLogSettings,
    FederationSettings,
    TrackingSettings,
)
from headwater.base.telemetry import set_up_logging
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.destinations import add_destination
from headwater.eventlog import GroupCommit, Stream, open_event_log
from headwater.federation import FederationWorkers
from headwater.model import Message
from headwater.sources import add_source
from headwater.tracking import TrackingApp
from tests.support.tracking_door import read_messages

_ROOT = Path(__file__).parents[2]
_LOOPBACK = "127.0.0.0/8"


@dataclass
class HouseTwo:
    """The running process, seen from a test."""

    process: subprocess.Popen[str]
    url: str

    def identify(self, write_key: str, message_id: str) -> int:
        """Send one identify; return the status, 0 when the process died before it answered."""
        body = {"userId": "u", "messageId": message_id, "writeKey": write_key}
        with urllib3.PoolManager(retries=False) as http:
            try:
                return http.request("POST", f"{self.url}/v1/identify", json=body).status
            except urllib3.exceptions.HTTPError:
                return 0


def connect(data: Path, webhook_url: str = "https://hooks.example.com") -> str:
    """Add a source with a webhook; return its write key."""
    configdb = ConfigDb.open(ConfigDbSettings(), data)
    migrate(configdb)
    clock = SystemClock()
    with configdb.transaction() as connection:
        source = add_source(connection, clock, "http-api", "Shop")
        add_destination(
            connection,
            Vault.open(data / "master.key"),
            clock,
            Egress(_LOOPBACK),
            source_id=source.id,
            kind="webhook",
            values={"url": webhook_url},
        )
    configdb.close()
    return source.write_key


def logged_ids(data: Path) -> Counter[str]:
    """Return how often the log holds each message, after the process has ended."""

    async def read() -> list[Message]:
        log = await open_event_log(EventLogSettings(), data)
        try:
            return await read_messages(log)
        finally:
            await log.close()

    return Counter(message.message_id for message in asyncio.run(read()))


@contextmanager
def house_two(data: Path, *, crash_at: str = "") -> Iterator[HouseTwo]:
    """Run the process for a block; it need not be alive at the end."""
    path = os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.house_two", str(data)],
        stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": path, "HEADWATER_CRASH_AT": crash_at},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "the process did not start"
        try:
            yield HouseTwo(process, url)
        finally:
            process.terminate()


async def _serve(data: Path) -> None:
    clock = SystemClock()
    configdb = ConfigDb.open(ConfigDbSettings(), data)
    vault = Vault.open(data / "master.key")
    log = await open_event_log(EventLogSettings(), data)
    group = GroupCommit(log, Stream.MESSAGES)
    door = TrackingApp(group, log, configdb, vault, clock, TrackingSettings())
    egress = Egress(_LOOPBACK)
    workers = FederationWorkers(configdb, log, vault, egress, clock, FederationSettings())
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        door, interface="asgi3", lifespan="off", log_config=None, access_log=False
    )
    delivering = asyncio.create_task(workers.run())
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await uvicorn.Server(config).serve(sockets=[listener])
    delivering.cancel()
    await asyncio.gather(delivering, return_exceptions=True)
    await door.close()
    await egress.close()
    await log.close()
    configdb.close()


if __name__ == "__main__":
    set_up_logging("warning")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(sys.argv[1])))
