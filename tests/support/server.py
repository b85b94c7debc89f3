"""Run the real `headwater serve` for a test, in a process group of its own.

In: a data directory. Out: a server that is ready, with its URL, an API client and its kill switch.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

READY_WITHIN_S = 60
SOURCE = Path(__file__).parents[2] / "src"


@dataclass
class Server:
    """A running `headwater serve`."""

    process: subprocess.Popen[str]
    url: str
    data: Path
    http: urllib3.PoolManager

    def card(self) -> dict[str, str]:
        """Return what commands of the same user know: the address and the local token."""
        found: dict[str, str] = json.loads((self.data / "run" / "serve.json").read_text())
        return found

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Send a request as it is, without any key."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.http.request(method, self.url + path, body=data, headers=dict(headers or {}))

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the management API as the owner of the data directory; fail on an error answer."""
        headers = {
            "authorization": f"Bearer {self.card()['token']}",
            "content-type": "application/json",
        }
        reply = self.ask(method, path, body, headers)
        assert reply.status < 400, f"{method} {path}: {reply.status} {reply.data.decode()}"
        return json.loads(reply.data) if reply.data else None

    def query(self, app_id: str, kind: str, **spec: object) -> Any:
        """Ask the query API; `from_` stands for `from`."""
        cleaned = {name.rstrip("_"): value for name, value in spec.items()}
        return self.api("POST", f"/api/v1/apps/{app_id}/query/{kind}", cleaned)

    def settle(self, stream: str = "calls", reader: str = "ingest", within_s: float = 30) -> None:
        """Wait until `reader` has passed everything that the log holds now."""
        goal = self.api("GET", "/api/v1/status")["streams"][stream]["last_offset"]
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            readers = self.api("GET", "/api/v1/status")["readers"]
            if readers.get(reader, {}).get("next_offset", 0) > goal:
                return
            time.sleep(0.05)
        raise AssertionError(f"{reader} did not reach offset {goal} within {within_s} s")

    def cli(self, *args: str, stdin: str = "") -> Any:
        """Run `headwater … --json` on the same data; return its JSON."""
        return run_cli(self.data, *args, stdin=stdin)

    def kill_group(self) -> None:
        """End the server and all its children at once, as a power cut would end the processes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask the server to drain; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


class DiedAtOnceError(AssertionError):
    """A server ended before it was ready; `code` is its exit code."""

    def __init__(self, code: int, stderr: str) -> None:
        super().__init__(f"the server did not start (exit code {code}):\n{stderr}")
        self.code = code


def headwater(*args: str) -> list[str]:
    """Return the command line of `headwater`."""
    return [sys.executable, "-m", "headwater", *args]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a clean environment for a child: no settings of the developer leak in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER_")}
    path = os.pathsep.join(filter(None, [str(SOURCE), clean.get("PYTHONPATH", "")]))
    return {**clean, "PYTHONPATH": path, **(extra or {})}


def run_cli(data: Path, *args: str, stdin: str = "", ok: bool = True) -> Any:
    """Run one command with `--json`; return its JSON, or the finished process with `ok=False`."""
    done = subprocess.run(
        headwater(*args, "--data", str(data), "--json"),
        input=stdin, capture_output=True, text=True, timeout=120, env=environment(), check=False,
    )  # fmt: skip
    if not ok:
        return done
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def start(data: Path, env: Mapping[str, str] | None = None, *args: str) -> Server:
    """Start a server on a free port and wait for its ready line."""
    data.mkdir(parents=True, exist_ok=True)
    log = (data / "stderr.log").open("ab")
    process = subprocess.Popen(
        headwater("serve", "--data", str(data), "--port", "0", *args),
        stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, env=environment(env),
    )  # fmt: skip
    log.close()
    line = _first_line(process, data)
    return Server(process, json.loads(line)["url"], data, urllib3.PoolManager(retries=False))


def _first_line(process: subprocess.Popen[str], data: Path) -> str:
    assert process.stdout is not None
    # Not `select`: the embedded engine leaves descriptors open, and numbers pass its limit of 1024.
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(READY_WITHIN_S) else ""
    if not line:
        process.kill()
        process.stdout.close()
        raise DiedAtOnceError(process.wait(), (data / "stderr.log").read_text())
    return line


@contextmanager
def serving(data: Path, env: Mapping[str, str] | None = None, *args: str) -> Iterator[Server]:
    """Run a server for a block, and drain it afterwards."""
    server = start(data, env, *args)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        if server.process.stdout is not None:
            server.process.stdout.close()
        server.http.clear()
