"""Our own nats-server: it is there while we are, comes back, and keeps what it acknowledged."""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from headwater.base.errors import ConflictError, CorruptError, UnavailableError
from headwater.base.settings import EventLogSettings
from headwater.eventlog import MAX_ENTRY_BYTES, EventLog, Stream, nats, nats_server, open_event_log
from headwater.eventlog.nats import NatsLog
from headwater.eventlog.nats_server import NatsServer
from tests.support.processes import family_of, kill_all, parent_of, processes, wait_until_dead

WRITER = Path(__file__).with_name("writer.py")
SOURCE = Path(__file__).parents[3] / "src"


@contextlib.asynccontextmanager
async def opened(data: Path) -> AsyncIterator[EventLog]:
    log = await open_event_log(EventLogSettings(), data)
    try:
        yield log
    finally:
        await log.close()


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EventLog]:
    async with opened(tmp_path) as log:
        yield log


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the log wait less than it does, so that the test does too."""
    monkeypatch.setattr(nats, "_ACK_S", 0.5)


def server_of(log: EventLog) -> NatsServer:
    assert isinstance(log, NatsLog)
    assert isinstance(log._link._server, NatsServer)
    return log._link._server


async def read_all(log: EventLog, first: int = 1) -> list[bytes]:
    found: list[bytes] = []
    while entries := await log.read(
        Stream.CALLS, first + len(found), max_entries=500, max_bytes=10**7, wait_s=0
    ):
        found += [entry.data for entry in entries]
    return found


@contextlib.contextmanager
def writing(data: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a writer in another process; kill it at the end if nobody did."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        try:
            yield writer
        finally:
            writer.kill()


def acknowledged_by(writer: "subprocess.Popen[str]") -> list[int]:
    """Return every number that the killed writer was able to print whole."""
    assert writer.stdout is not None
    lines = writer.stdout.read().splitlines(keepends=True)
    return [int(line) for line in lines if line.endswith("\n")]


async def test_entries_survive_a_restart(tmp_path: Path) -> None:
    """What was there is there again, and the count goes on."""
    async with opened(tmp_path) as log:
        await log.append(Stream.CALLS, b"before")
    async with opened(tmp_path) as log:
        assert await log.append(Stream.CALLS, b"after") == 2
        assert await read_all(log) == [b"before", b"after"]


async def test_a_log_trimmed_to_nothing_still_knows_its_count(tmp_path: Path) -> None:
    """An offset never comes twice, even after kill -9 of a server that holds no entry."""
    async with opened(tmp_path) as log:
        for text in (b"a", b"b", b"c"):
            await log.append(Stream.CALLS, text)
        await log.trim(Stream.CALLS, 4)
        os.kill(server_of(log).pid, signal.SIGKILL)
    async with opened(tmp_path) as log:
        assert await log.append(Stream.CALLS, b"d") == 4
        assert (await log.state(Stream.CALLS)).first_offset == 4


async def test_a_killed_server_comes_back_with_everything(log: EventLog) -> None:
    """Appends wait for the new server instead of failing."""
    await log.append(Stream.CALLS, b"before")
    first_pid = server_of(log).pid
    os.kill(first_pid, signal.SIGKILL)
    assert await log.append(Stream.CALLS, b"after") == 2
    assert server_of(log).pid != first_pid
    assert await read_all(log) == [b"before", b"after"]


async def test_what_was_in_flight_at_a_kill_is_stored_once(log: EventLog) -> None:
    """An append that is tried again leaves one entry, and every one of them ends well."""
    texts = [str(number).encode() for number in range(400)]
    appends = [asyncio.create_task(log.append(Stream.CALLS, text)) for text in texts]
    for _ in range(3):
        await asyncio.wait(appends, return_when=asyncio.FIRST_COMPLETED)
        os.kill(server_of(log).pid, signal.SIGKILL)
        await asyncio.sleep(0.5)
    offsets = await asyncio.gather(*appends)
    assert sorted(offsets) == list(range(1, 401))
    assert sorted(await read_all(log)) == sorted(texts)


async def test_a_killed_guard_costs_nothing(log: EventLog) -> None:
    """Without its guard the server is ended and started again with a new one."""
    await log.append(Stream.CALLS, b"before")
    first_pid = server_of(log).pid
    os.kill(parent_of(first_pid), signal.SIGKILL)
    wait_until_dead([first_pid])
    assert await log.append(Stream.CALLS, b"after") == 2


async def test_a_server_that_hangs_is_replaced(log: EventLog, impatient: None) -> None:
    """An append that gets no answer has the server looked after, and then ends well."""
    first_pid = server_of(log).pid
    os.kill(first_pid, signal.SIGSTOP)
    assert await log.append(Stream.CALLS, b"a") == 1
    assert server_of(log).pid != first_pid


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
async def test_a_server_whose_disk_failed_takes_writes_again(
    log: EventLog, impatient: None
) -> None:
    """JetStream stays closed after a failed write until it is started anew: we do that."""
    await log.append(Stream.CALLS, b"before")
    first_pid = server_of(log).pid
    resource.prlimit(first_pid, resource.RLIMIT_FSIZE, (100, 100))
    assert await log.append(Stream.CALLS, os.urandom(100_000)) == 2
    assert server_of(log).pid != first_pid
    await log.check()


async def test_the_server_ends_with_a_killed_parent(tmp_path: Path) -> None:
    """Kill -9 of the parent alone leaves nobody behind."""
    with writing(tmp_path) as writer:
        family = family_of(writer.pid)
        assert len(family) == 3, "the writer, the guard and the server"
        writer.kill()
        writer.wait()
        wait_until_dead(family)


@pytest.mark.parametrize("victims", ["parent", "all"])
async def test_every_acknowledged_entry_survives_kill_nine(tmp_path: Path, victims: str) -> None:
    """Three runs, each killed under load: what was acknowledged is there, and is there once."""
    acknowledged: list[bytes] = []
    for run in range(3):
        with writing(tmp_path / "data") as writer:
            family = family_of(writer.pid)
            await asyncio.sleep(0.3 + run / 10)
            kill_all(family if victims == "all" else family[:1])
            acknowledged += [str(number).encode() for number in acknowledged_by(writer)]
    async with opened(tmp_path / "data") as log:
        stored = await read_all(log)
        assert (await log.state(Stream.CALLS)).deleted == 0
    assert len(acknowledged) > 50
    for text in set(acknowledged):
        assert stored.count(text) >= acknowledged.count(text)
    unacknowledged = len(stored) - len(acknowledged)
    assert 0 <= unacknowledged <= 3 * 4, "each killed writer had at most four entries in flight"


async def test_a_second_log_on_the_same_folder_is_refused_at_once(
    log: EventLog, tmp_path: Path
) -> None:
    """Two servers on one store would ruin it."""
    began = time.monotonic()
    with pytest.raises(ConflictError, match=f"pid {os.getpid()}"):
        await open_event_log(EventLogSettings(), tmp_path)
    assert time.monotonic() - began < 1
    await log.check()


async def test_a_server_that_outlived_all_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If somebody holds the store, the message says who; nothing is started beside it."""
    monkeypatch.setattr(nats_server, "_DYING_S", 0.3)
    async with opened(tmp_path) as log:
        pid = server_of(log).pid
        second = NatsServer(tmp_path / "eventlog", max_disk_bytes=10**9)
        with pytest.raises(ConflictError, match=f"pid {pid}"):
            await second._launch()


@pytest.mark.parametrize("index", ["kept", "lost"])
async def test_a_flipped_bit_is_noticed(tmp_path: Path, index: str) -> None:
    """JetStream drops what it cannot verify and says nothing; the reader says it.

    Without its index, as after a crash, it drops the tail and would use the offsets again.
    """
    async with opened(tmp_path) as log:
        for number in range(200):
            await log.append(Stream.CALLS, f"{number} ".encode() + os.urandom(1_000))
    (block,) = (tmp_path / "eventlog" / "store").glob("**/headwater-calls/msgs/*.blk")
    content = bytearray(block.read_bytes())
    content[len(content) // 2] ^= 1
    block.write_bytes(content)
    if index == "lost":
        (block.parent / "index.db").unlink()
    async with opened(tmp_path) as log:
        with pytest.raises(CorruptError):
            assert len(await read_all(log)) == 200
        if index == "lost":
            assert (await log.state(Stream.CALLS)).deleted > 50
        assert await log.append(Stream.CALLS, b"after") == 201
    async with opened(tmp_path) as log:
        (entry,) = await log.read(Stream.CALLS, 201, max_entries=9, max_bytes=99, wait_s=0)
        assert entry.data == b"after"


async def test_a_store_that_vanished_is_noticed(tmp_path: Path) -> None:
    """Readers are told, and the count goes on where it was."""
    async with opened(tmp_path) as log:
        for _ in range(3):
            await log.append(Stream.CALLS, b"before")
    shutil.rmtree(tmp_path / "eventlog" / "store")
    async with opened(tmp_path) as log:
        with pytest.raises(CorruptError):
            await read_all(log, 2)
        assert await log.append(Stream.CALLS, b"after") == 4
        assert await read_all(log, 4) == [b"after"]
        assert await log.append(Stream.MESSAGES, b"first") == 1


async def test_the_server_is_told_to_fsync_before_it_acknowledges(
    log: EventLog, tmp_path: Path
) -> None:
    """Its own default is every two minutes; kill -9 cannot show the difference, a power cut can."""
    config = json.loads((tmp_path / "eventlog" / "nats.conf").read_text())
    assert config["jetstream"]["sync_interval"] == "always"


async def test_the_largest_entry_passes(log: EventLog) -> None:
    """The limit that we promise is one that the server keeps."""
    entry = os.urandom(MAX_ENTRY_BYTES)
    await log.append(Stream.CALLS, entry)
    assert await read_all(log) == [entry]


async def test_the_token_stays_in_a_private_file(log: EventLog, tmp_path: Path) -> None:
    """Neither the process list nor the server's log shows it; the file is its owner's alone."""
    token = (await server_of(log).address()).token
    folder = tmp_path / "eventlog"
    assert token in (folder / "nats.conf").read_text()
    assert stat.S_IMODE((folder / "nats.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    commands = " ".join(processes("args").values())
    assert str(folder / "nats.conf") in commands
    assert token not in commands
    assert token not in (folder / "nats.log").read_text()


async def test_a_stranger_is_refused(log: EventLog) -> None:
    """Being on the same machine is not enough."""
    url = (await server_of(log).address()).urls[0]
    with pytest.raises(UnavailableError):
        await open_event_log(EventLogSettings(url=url), Path("unused"))


async def test_a_log_by_url_sees_what_others_append(log: EventLog) -> None:
    """The same code reads and writes a server that others run; closing it leaves that server."""
    address = await server_of(log).address()
    url = address.urls[0].replace("nats://", f"nats://{address.token}@")
    nowhere = f"nats://127.0.0.1:{free_port()}"
    other = await open_event_log(EventLogSettings(url=f"{nowhere}, {url}"), Path("unused"))
    reading = asyncio.create_task(
        other.read(Stream.CALLS, 1, max_entries=9, max_bytes=999, wait_s=9)
    )
    await log.append(Stream.CALLS, b"from the one")
    assert [entry.data for entry in await reading] == [b"from the one"]
    assert await other.append(Stream.CALLS, b"from the other") == 2
    await other.close()
    assert await read_all(log) == [b"from the one", b"from the other"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_who_is_cancelled_while_asking_hears_of_it(log: EventLog) -> None:
    """Also when the answer comes in that moment: else a worker would not stop with the server."""
    lost = 0
    for turn in range(600):
        asking = asyncio.create_task(log.state(Stream.CALLS))
        await asyncio.sleep(turn % 20 / 20_000)
        if asking.cancel():
            with contextlib.suppress(asyncio.CancelledError):
                await asking
                lost += 1
    assert lost == 0
