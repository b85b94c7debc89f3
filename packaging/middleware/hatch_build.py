"""Put the middleware's folder, and nothing else of Headwater, into what is built.

In: the repository, or a source distribution made from it. Out: `headwater/middleware` without a
`headwater/__init__.py`, so that `headwater` is a namespace which the whole of Headwater may join.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "headwater/middleware"


class SourceHook(BuildHookInterface[Any]):
    """Runs before wheels and source distributions are made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - fixed
        unpacked = Path(self.root) / TARGET
        source = unpacked if unpacked.is_dir() else Path(self.root).parents[1] / "src" / TARGET
        for file in sorted([*source.glob("*.py"), source / "py.typed"]):
            build_data["force_include"][str(file)] = f"{TARGET}/{file.name}"
