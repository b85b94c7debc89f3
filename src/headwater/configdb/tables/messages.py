"""Tables of sources: what they receive, refuse and let in; and of de-duplication.

Write keys are cipher text and fingerprints, ids of suppressed users keyed fingerprints.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
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

# What became of what clients sent, by the hour; no source: the write key was nobody's.
source_hours = Table(
    "source_hours",
    metadata,
    C("source_id", String(40), primary_key=True),
    C("hour", UtcDateTime, primary_key=True, index=True),
    C("what", String(60), primary_key=True),  # see sources.figures
    C("count", BigInteger, nullable=False),
)

source_refusals = Table(
    "source_refusals",
    metadata,
    C("id", Integer, primary_key=True),
    C("source_id", String(40), nullable=False),
    C("code", String(60), nullable=False),
    C("reason", Text, nullable=False),
    C("sample", Text, nullable=False),
    C("at", UtcDateTime, nullable=False),
    Index("ix_source_refusals", "source_id", "code"),
)

# Names of events (`name` is empty), of their properties and of traits; never values.
source_names = Table(
    "source_names",
    metadata,
    C("source_id", ForeignKey("sources.id"), primary_key=True),
    C("type", String(10), primary_key=True),
    C("event", String(200), primary_key=True),
    C("name", String(200), primary_key=True),
    C("first_seen_at", UtcDateTime, nullable=False),
    C("last_seen_at", UtcDateTime, nullable=False),
    C("count", BigInteger, nullable=False),
)

# What a source does not let in: an event (`name` is empty), a property of it, or a trait.
source_rules = Table(
    "source_rules",
    metadata,
    C("source_id", ForeignKey("sources.id"), primary_key=True),
    C("type", String(10), primary_key=True),
    C("event", String(200), primary_key=True),
    C("name", String(200), primary_key=True),
    C("created_at", UtcDateTime, nullable=False),
)

seen_messages = Table(
    "seen_messages",
    metadata,
    C("source_id", String(40), primary_key=True),
    C("message_id", String(100), primary_key=True),
    C("log_offset", BigInteger, nullable=False),
    C("seen_at", UtcDateTime, nullable=False, index=True),
)
