"""Pin every requirement with hashes, for every supported Python and platform.

In: pyproject.toml. Out: requirements/run.txt and requirements/dev.txt. Names no package index.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OPTIONS = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--quiet",
]


def compile_pins(target: str, *inputs: str) -> None:
    """Write one file of pins."""
    command = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *inputs]
    subprocess.run([*command, "--output-file", str(HERE / target)], check=True, cwd=HERE.parent)


compile_pins("run.txt", "pyproject.toml")
compile_pins("dev.txt", "pyproject.toml", "--group=dev")
