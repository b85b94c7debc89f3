"""Name every table of the configuration database, for migrations and for rooms.

Tables only; the questions asked of them live in the rooms that own them.
"""

from headwater.configdb.tables.base import BigId, UtcDateTime, metadata
from headwater.configdb.tables.deliveries import (
    deliveries,
    delivery_counts,
    delivery_hours,
    delivery_replays,
    delivery_samples,
    destinations,
)
from headwater.configdb.tables.extensions import (
    cohorts,
    extension_backfills,
    extension_connections,
    extension_runs,
    outbox_batches,
    outbox_dead,
    outbox_windows,
)
from headwater.configdb.tables.messages import (
    forgotten_users,
    seen_messages,
    source_hours,
    source_names,
    source_refusals,
    source_rules,
    sources,
    suppressed_ids,
    write_keys,
)
from headwater.configdb.tables.privacy import regulation_targets, regulations
from headwater.configdb.tables.warehouses import (
    warehouse_rereads,
    warehouse_syncs,
    warehouses,
)
from headwater.configdb.tables.workspace import (
    apps,
    collector_keys,
    logins,
    positions,
    sessions,
    setup_links,
    suppressed_users,
    tokens,
)

__all__ = [
    "BigId",
    "UtcDateTime",
    "apps",
    "cohorts",
    "collector_keys",
    "deliveries",
    "delivery_counts",
    "delivery_hours",
    "delivery_replays",
    "delivery_samples",
    "destinations",
    "extension_backfills",
    "extension_connections",
    "extension_runs",
    "forgotten_users",
    "logins",
    "metadata",
    "outbox_batches",
    "outbox_dead",
    "outbox_windows",
    "positions",
    "regulation_targets",
    "regulations",
    "seen_messages",
    "sessions",
    "setup_links",
    "source_hours",
    "source_names",
    "source_refusals",
    "source_rules",
    "sources",
    "suppressed_ids",
    "suppressed_users",
    "tokens",
    "warehouse_rereads",
    "warehouse_syncs",
    "warehouses",
    "write_keys",
]
