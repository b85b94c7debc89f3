"""Hold a child process's life to its parent's: when the parent ends, however it ends, so does it.

In: a command as arguments, and a pipe from the parent as stdin. Out: the child's pid as the first
line of stdout; then nothing. It runs as a script of its own (`python -I -S guard.py COMMAND…`),
imports nothing of ours, and also works where the kernel offers no parent-death signal.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

GRACE_S = 3.0
_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Start `command`, and stop it as soon as stdin ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave_it_to_the_parent)
    child = _start(command)
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.close()
    threading.Thread(target=_end_with, args=(child,), daemon=True).start()
    while os.read(0, 4096):
        continue
    _stop(child)


def _leave_it_to_the_parent(number: int, frame: FrameType | None) -> None:
    """Do nothing; a handler, unlike `SIG_IGN`, is not inherited by the child."""


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    guard_pid = os.getpid()

    def die_with_the_guard() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard_pid:
            os._exit(1)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,  # the store's lock is one of them: it must live as long as the child
        preexec_fn=die_with_the_guard,  # noqa: PLW1509 - no thread was started yet
    )


def _end_with(child: subprocess.Popen[bytes]) -> None:
    os._exit(abs(child.wait()))


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
