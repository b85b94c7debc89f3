"""Read what a process and its children have used (Linux).

In: a process id. Out: CPU seconds, and bytes resident in memory.
"""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_s(ancestor: int) -> float:
    """Return user and system time of the process, its children and those they waited for."""
    return sum(sum(int(n) for n in fields[11:15]) for fields in _tree(ancestor)) / _TICKS_PER_S


def rss_bytes(ancestor: int) -> int:
    """Return the resident memory of the process and its children."""
    return sum(int(fields[21]) for fields in _tree(ancestor)) * _PAGE_BYTES


def _tree(ancestor: int) -> list[list[str]]:
    stats = {pid: fields for pid in _pids() if (fields := _stat(pid))}
    family = {ancestor}
    while more := {pid for pid, f in stats.items() if int(f[1]) in family} - family:
        family |= more
    return [stats[pid] for pid in family if pid in stats]


def _pids() -> list[int]:
    return [int(path.name) for path in _PROC.iterdir() if path.name.isdigit()]


def _stat(pid: int) -> list[str]:
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
