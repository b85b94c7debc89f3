"""Find the files that an import is asked for.

In: paths and patterns as they were typed, `-` for standard input. Out: files, each once, in order.
Says what is wrong with the first that cannot be imported.
"""

import glob
from collections.abc import Iterable
from pathlib import Path

from headwater.base.errors import InvalidInputError

STDIN = Path("-")


def find_files(typed: Iterable[str]) -> list[Path]:
    """Return the files; those of a pattern by name."""
    return list(dict.fromkeys(file for text in typed for file in _find(text)))


def _find(text: str) -> list[Path]:
    path = Path(text)
    if path == STDIN or path.exists():
        return [_checked(path)]
    # Not every shell replaces patterns, and none does behind quotes.
    found = sorted(filter(Path.is_file, map(Path, glob.glob(text, recursive=True))))  # noqa: PTH207 - absolute patterns
    if not found:
        raise InvalidInputError(f"There is no file {text}.", field="files")
    return found


def _checked(path: Path) -> Path:
    if path.is_dir():
        raise InvalidInputError(
            f"{path} is a directory.", field="files", hint=f"Name its files: '{path}/*.log*'."
        )
    return path
