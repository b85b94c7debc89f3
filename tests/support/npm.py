"""Install the npm clients that the wire tests run, once for all test runs on a machine.

In: `tests/wire/node/package.json`. Out: a folder `node_modules` under `.cache/node`; other versions
get another folder. Skips where there is no Node.js, fails in CI when there is and npm fails.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import IN_CI

NODE = Path(__file__).parents[1] / "wire" / "node"
_CACHE = Path(__file__).parents[2] / ".cache" / "node"
_INSTALL_WITHIN_S = 150
_INSTALL = (
    *("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"),
    *("--loglevel", "error"),
)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Return the folder with the installed packages."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js with npm is not on this machine")
    wanted = (NODE / "package.json").read_bytes()
    home = _CACHE / hashlib.sha256(wanted).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be installing the same
        if not (home / "complete").exists():
            (home / "package.json").write_bytes(wanted)
            _install(home)
            (home / "complete").touch()
    return home / "node_modules"


def _install(home: Path) -> None:
    try:
        done = subprocess.run(
            _INSTALL, cwd=home, capture_output=True, text=True, timeout=_INSTALL_WITHIN_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        _give_up(f"took longer than {_INSTALL_WITHIN_S} s")
    else:
        if done.returncode:
            _give_up(f"failed: {done.stderr.strip()[-500:]}")


def _give_up(why: str) -> None:
    """Skip on a laptop that may be offline; fail in CI, so that nothing is skipped unseen."""
    message = f"`npm install` of {NODE / 'package.json'} {why}"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)
