"""Run a customer's program in a process of its own, as customers do.

In: a script and its arguments. Out: nothing; fails with the program's own words when it fails.
"""

import subprocess
import sys
from pathlib import Path

STORY_PROGRAMS = Path(__file__).parents[1] / "story" / "programs"


def run_program(name: str, *args: str) -> None:
    """Run `tests/story/programs/<name>` to its end."""
    done = subprocess.run(
        [sys.executable, str(STORY_PROGRAMS / name), *args],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{name} failed:\n{done.stdout}\n{done.stderr}"
