"""Tables of sources and of the Tracking API's de-duplication.

Write keys are cipher text and fingerprints, ids of suppressed users keyed fingerprints.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    String,
    Table,
)
from sqlalchemy import Column as C  # noqa: N817 - it stands on every line below

from headwater.configdb.tables.base import UtcDateTime, metadata

sources = Table(
    "sources",
    metadata,
    C("id", String(40), primary_key=True),
    C("slug", String(120), nullable=False, unique=True),
    C("type", String(60), nullable=False),
    C("name", String(200), nullable=False),
    C("payload_version", String(20), nullable=False),
    C("enabled", Boolean, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
)

write_keys = Table(
    "write_keys",
    metadata,
    C("write_key", String(64), primary_key=True),
    C("source_id", ForeignKey("sources.id"), nullable=False, index=True),
    C("created_at", UtcDateTime, nullable=False),
    C("revoked_at", UtcDateTime),
)

# Users whom no message may enter for; keyed fingerprints of their ids.
suppressed_ids = Table(
    "suppressed_ids",
    metadata,
    C("fingerprint", String(64), primary_key=True),
    C("created_at", UtcDateTime, nullable=False),
)

# Users whose messages up to a moment nobody may read; keyed fingerprints of their ids.
forgotten_users = Table(
    "forgotten_users",
    metadata,
    C("user_mark", String(64), primary_key=True),
    C("until", UtcDateTime, nullable=False, index=True),
)

seen_messages = Table(
    "seen_messages",
    metadata,
    C("source_id", String(40), primary_key=True),
    C("message_id", String(100), primary_key=True),
    C("log_offset", BigInteger, nullable=False),
    C("seen_at", UtcDateTime, nullable=False, index=True),
)
