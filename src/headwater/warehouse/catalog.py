"""List the types of warehouse and what each wants to be told.

In: settings as text pairs, as people type them. Out: checked settings. Knows nothing of loading:
`load.py` opens what is described here.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from headwater.base.errors import InvalidInputError


class DuckDbSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="duckdb"
):
    """A DuckDB file on this machine."""

    path: str = ""
    """Empty: `warehouse.duckdb` in the data directory."""


WarehouseSettings = DuckDbSettings
"""A union, once there is a second type."""

TYPES = ("duckdb",)
DEFAULT_FILE = "warehouse.duckdb"


def check_settings(type_: str, given: Mapping[str, str], data: Path) -> WarehouseSettings:
    """Return settings that can work, with an absolute path; raise `InvalidInputError` if not."""
    if type_ not in TYPES:
        raise InvalidInputError(
            f"There is no warehouse type {type_!r}.",
            field="type",
            hint=f"Known types: {', '.join(TYPES)}.",
        )
    try:
        settings = msgspec.convert({**given, "type": type_}, WarehouseSettings)
    except msgspec.ValidationError as err:
        raise InvalidInputError(f"A warehouse setting is wrong: {err}", field="settings") from err
    return DuckDbSettings(path=str(_check_file(settings.path, data)))


def show_settings(settings: WarehouseSettings) -> dict[str, str]:
    """Return the settings that everybody may see."""
    shown: dict[str, str] = msgspec.structs.asdict(settings)
    return shown


def _check_file(path: str, data: Path) -> Path:
    file = Path(path or data / DEFAULT_FILE).expanduser().resolve()
    if not file.parent.is_dir() or file.is_dir():
        raise InvalidInputError(
            f"{file} cannot be a DuckDB file.",
            field="settings.path",
            hint="Name a file in a directory that exists.",
        )
    return file
