"""Load messages into the team's own databases, as the tables that Segment's users know.

In: the log's messages. Out: `identifies`, `users`, `tracks`, a table for each event, and so on, in
one schema for each source; and a history of what was loaded. Types of warehouse: DuckDB.
"""

from headwater.warehouse.catalog import TYPES, show_settings
from headwater.warehouse.store import (
    Sync,
    Warehouse,
    add_warehouse,
    get_warehouse,
    list_syncs,
    list_warehouses,
)
from headwater.warehouse.tables import schema_name
from headwater.warehouse.worker import Warehouses

__all__ = [
    "TYPES",
    "Sync",
    "Warehouse",
    "Warehouses",
    "add_warehouse",
    "get_warehouse",
    "list_syncs",
    "list_warehouses",
    "schema_name",
    "show_settings",
]
