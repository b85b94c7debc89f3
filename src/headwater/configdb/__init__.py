"""The configuration database: SQLite by default, PostgreSQL when many processes share it.

In: questions that rooms bring. Out: rows, in transactions. Tables and migrations live here.
"""

from headwater.configdb.engine import ConfigDb
from headwater.configdb.migrate import is_current, migrate
from headwater.configdb.positions import (
    Position,
    forget_reader,
    lowest_next_offset,
    read_position,
    read_positions,
    why_not_to_migrate,
    write_position,
)

__all__ = [
    "ConfigDb",
    "Position",
    "forget_reader",
    "is_current",
    "lowest_next_offset",
    "migrate",
    "read_position",
    "read_positions",
    "why_not_to_migrate",
    "write_position",
]
