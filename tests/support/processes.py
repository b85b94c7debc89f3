"""Look at processes, and end whole families of them.

In: a process id. Out: who descends from it; or nobody, after `kill_family`. Processes that ended
and only wait to be buried do not count.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable


def processes(field: str) -> dict[int, str]:
    """Return one field of `ps` for every process that runs."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", f"pid=,stat=,{field}="],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rows = (line.split(maxsplit=2) for line in listing.splitlines())
    return {int(pid): value for pid, state, value in rows if not state.startswith("Z")}


def parent_of(pid: int) -> int:
    return int(processes("ppid")[pid])


def family_of(pid: int) -> list[int]:
    """Return `pid`, its children, their children and so on, elders first."""
    parents = {child: int(parent) for child, parent in processes("ppid").items()}
    family = [pid]
    for elder in family:
        family += [child for child, parent in parents.items() if parent == elder]
    return family


def kill_all(pids: Iterable[int]) -> None:
    """Send `kill -9` to each, as nearly at once as can be."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until_dead(pids: Iterable[int], within_s: float = 10) -> None:
    """Return when none of them runs any more."""
    end = time.monotonic() + within_s
    while alive := set(pids) & set(processes("ppid")):
        assert time.monotonic() < end, f"still alive after {within_s} s: {alive}"
        time.sleep(0.05)
