"""Read what a warehouse leaves out: sources, collections, properties.

In: lines such as `schema`, `schema.table` or `schema.table.column`. Out: for each source the tables
and columns to leave out. Leaving out deletes nothing.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from headwater.base.errors import InvalidInputError
from headwater.sources import list_sources
from headwater.warehouse.tables import ALWAYS_LOADED, schema_name

_PARTS_OF_A_COLUMN = 3


def clean_excluded(connection: sa.Connection, lines: Sequence[str]) -> list[str]:
    """Return the lines, sorted; refuse what names no source, or what loading itself needs."""
    schemas = {schema_name(source.slug) for source in list_sources(connection)}
    tidy = sorted({line.strip().lower() for line in lines if line.strip()})
    for line in tidy:
        parts = line.split(".")
        if parts[0] not in schemas or len(parts) > _PARTS_OF_A_COLUMN or not all(parts):
            raise InvalidInputError(
                f"{line!r} names nothing that could be left out.",
                field="excluded",
                hint="Write `schema`, `schema.table` or `schema.table.column`; a schema is a "
                "source's slug in snake case.",
            )
        if len(parts) == _PARTS_OF_A_COLUMN and parts[2] in ALWAYS_LOADED:
            raise InvalidInputError(
                f"The column {parts[2]} is needed by loading itself.", field="excluded"
            )
    return tidy


def read_unwanted(
    connection: sa.Connection, excluded: Sequence[str], identifier_bytes: int
) -> dict[str, frozenset[str]]:
    """Return by source id what is left out, as `table` and `table.column`; `""` is all of it."""
    found: dict[str, frozenset[str]] = {}
    for source in list_sources(connection) if excluded else ():
        names = {schema_name(source.slug), schema_name(source.slug, identifier_bytes)}
        mine = frozenset(
            line.partition(".")[2] for line in excluded if line.partition(".")[0] in names
        )
        if mine:
            found[source.id] = mine
    return found
