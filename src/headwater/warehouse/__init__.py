"""Load messages into the team's own databases, as the tables that Segment's users know.

In: the log's messages. Out: `identifies`, `users`, `tracks`, a table for each event, and so on, in
one schema for each source; and a history of what was loaded. `delete_users` takes people out.
"""

from headwater.warehouse.catalog import CATALOG, TYPES, WarehouseType, find_type, show_settings
from headwater.warehouse.rereads import Reread
from headwater.warehouse.standing import Standing
from headwater.warehouse.store import READERS, Sync, Warehouse
from headwater.warehouse.tables import schema_name
from headwater.warehouse.worker import Warehouses

__all__ = [
    "CATALOG",
    "READERS",
    "TYPES",
    "Reread",
    "Standing",
    "Sync",
    "Warehouse",
    "WarehouseType",
    "Warehouses",
    "find_type",
    "schema_name",
    "show_settings",
]
