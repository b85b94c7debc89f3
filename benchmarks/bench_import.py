"""Measure `headwater import` of a combined access log, until every line can be queried.

In: HEADWATER_BENCH_LINES (1,000,000). Out: lines a second of the command against a running server,
CPU and memory of both, the same again when every line is there already; and, in the same run,
GoAccess making its report of the same file, where it is installed.
"""

import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from tests.support.server import Server, environment, headwater, serving

from benchmarks.access_log import write_access_log
from benchmarks.process_tree import cpu_s, rss_bytes

LINES = int(os.environ.get("HEADWATER_BENCH_LINES", "1000000"))
_WATCH_EVERY_S = 0.2

Figures = dict[str, object]


def run() -> Figures:
    """Import a made log once, then once more; then let GoAccess read it."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "access.log"
        write_access_log(log, LINES)
        with serving(Path(folder) / "data") as server:
            first, again = _import(server, log), _import(server, log)
        peer = _goaccess(log, Path(folder) / "report.json")
        size_mb = log.stat().st_size // 1_000_000
    figures: Figures = {"lines": LINES, "megabytes": size_mb, "first": first, "again": again}
    figures["goaccess"] = peer or "not there: no figure beside ours"
    if peer:
        figures["goaccess_seconds_to_ours"] = round(peer["seconds"] / first["seconds"], 2)
    return figures


def _import(server: Server, log: Path) -> dict[str, float]:
    pid = server.process.pid
    app_id = str(server.cli("apps", "list")[0]["app_id"])
    command = headwater("import", str(log), "--app", app_id, "--data", str(server.data), "--json")
    server_before_s, client_before_s = cpu_s(pid), _children_cpu_s()
    began_s = time.perf_counter()
    with Memory(pid) as memory:
        done = subprocess.run(command, env=environment(), capture_output=True, check=True)
    seconds = time.perf_counter() - began_s
    assert b'"lines":%d' % LINES in done.stdout, done.stderr
    return {
        "seconds": round(seconds, 2),
        "lines_per_s": round(LINES / seconds),
        "server_cpu_s": round(cpu_s(pid) - server_before_s, 2),
        "command_cpu_s": round(_children_cpu_s() - client_before_s, 2),
        "server_memory_most_mb": memory.most_bytes // 1_000_000,
    }


def _goaccess(log: Path, report: Path) -> dict[str, float]:
    program = shutil.which("goaccess")
    if program is None:
        return {}
    command = [program, str(log), "--log-format=COMBINED", "-o", str(report), "--no-progress"]
    cpu_before_s, began_s = _children_cpu_s(), time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return {
        "seconds": round(time.perf_counter() - began_s, 2),
        "cpu_s": round(_children_cpu_s() - cpu_before_s, 2),
    }


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Memory:
    """Watches the resident memory of a process and its children for a block."""

    def __init__(self, pid: int) -> None:
        self.most_bytes = 0
        self._pid = pid
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._enough.wait(_WATCH_EVERY_S):
            self.most_bytes = max(self.most_bytes, rss_bytes(self._pid))
