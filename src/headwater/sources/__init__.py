"""Sources: where messages come from, each with a slug, a type and write keys.

In: a type of the catalogue and a nickname. Out: a source that is live at once. Write keys let a
client write and never read, and they travel inside browsers, so they are kept as they are.
"""

from headwater.sources.catalog import CATALOG, SourceType, find_type
from headwater.sources.connections import (
    Source,
    add_source,
    find_by_write_key,
    get_source,
    list_sources,
    rename_source,
    revoke_old_write_key,
    rotate_write_key,
    set_source_enabled,
)
from headwater.sources.forgotten import (
    FORGOTTEN_WITHIN_S,
    Forgotten,
    forget_before,
    prune_forgotten,
)
from headwater.sources.suppressed import (
    MOST_AT_ONCE,
    SUPPRESSED_WITHIN_S,
    SuppressedId,
    allow_ids,
    check_user_ids,
    list_suppressed_ids,
    mark_of,
    suppress_ids,
    suppressed_marks,
)

__all__ = [
    "CATALOG",
    "FORGOTTEN_WITHIN_S",
    "MOST_AT_ONCE",
    "SUPPRESSED_WITHIN_S",
    "Forgotten",
    "Source",
    "SourceType",
    "SuppressedId",
    "add_source",
    "allow_ids",
    "check_user_ids",
    "find_by_write_key",
    "find_type",
    "forget_before",
    "get_source",
    "list_sources",
    "list_suppressed_ids",
    "mark_of",
    "prune_forgotten",
    "rename_source",
    "revoke_old_write_key",
    "rotate_write_key",
    "set_source_enabled",
    "suppress_ids",
    "suppressed_marks",
]
