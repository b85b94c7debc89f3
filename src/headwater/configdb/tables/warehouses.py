"""Tables of warehouses and their syncs.

Settings are cipher text.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
)
from sqlalchemy import Column as C  # noqa: N817 - it stands on every line below

from headwater.configdb.tables.base import UtcDateTime, metadata

warehouses = Table(
    "warehouses",
    metadata,
    C("id", String(40), primary_key=True),
    C("type", String(60), nullable=False),
    C("name", String(200), nullable=False),
    C("source_id", ForeignKey("sources.id")),  # empty: all sources
    C("enabled", Boolean, nullable=False),
    C("settings_sealed", Text, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("schedule", String(40), nullable=False, server_default=""),  # empty: the setting's
    C("excluded", JSON, nullable=False, server_default="[]"),  # schema, schema.table, s.t.column
    C("failures", Integer, nullable=False, server_default="0"),  # syncs that failed, in a row
)

warehouse_syncs = Table(
    "warehouse_syncs",
    metadata,
    C("id", String(40), primary_key=True),
    C("warehouse_id", ForeignKey("warehouses.id"), nullable=False, index=True),
    C("state", String(20), nullable=False),  # running | success | partial | failure
    C("started_at", UtcDateTime, nullable=False),
    C("finished_at", UtcDateTime),
    C("first_offset", BigInteger, nullable=False),
    C("last_offset", BigInteger, nullable=False),
    C("rows", JSON, nullable=False),
    C("notices", JSON, nullable=False),
    C("cause", String(20), nullable=False, server_default="schedule"),  # schedule | hand
    C("prepare_s", Float, nullable=False, server_default="0"),
    C("load_s", Float, nullable=False, server_default="0"),
)

# A part of the log that a warehouse reads once more: a table that could not be loaded, a backfill.
warehouse_rereads = Table(
    "warehouse_rereads",
    metadata,
    C("id", String(40), primary_key=True),
    C("warehouse_id", ForeignKey("warehouses.id"), nullable=False, index=True),
    C("source_id", String(40)),  # empty: all that the warehouse loads
    C("table_name", String(200), nullable=False, server_default=""),  # empty: all tables
    C("last_offset", BigInteger),  # empty: as far as the warehouse itself has come
    C("error", Text, nullable=False, server_default=""),
    C("begun_at", UtcDateTime, nullable=False),
)
