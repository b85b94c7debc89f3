"""Tables of destinations, and of what becomes of the messages for them.

Settings are cipher text.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy import Column as C  # noqa: N817 - it stands on every line below

from headwater.configdb.tables.base import BigId, UtcDateTime, metadata

destinations = Table(
    "destinations",
    metadata,
    C("id", String(40), primary_key=True),
    C("source_id", ForeignKey("sources.id"), nullable=False, index=True),
    C("type", String(60), nullable=False),
    C("name", String(200), nullable=False),
    C("enabled", Boolean, nullable=False),
    C("enabled_at", UtcDateTime, nullable=False),  # what was received before is not for it
    C("settings_sealed", Text, nullable=False),
    C("filters", JSON, nullable=False),
    C("mappings", JSON, nullable=False),
    C("keeps_order", Boolean, nullable=False),  # of each user's messages
    C("created_at", UtcDateTime, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    C("destination_id", ForeignKey("destinations.id"), primary_key=True),
    C("message_id", String(100), primary_key=True),
    C("state", String(10), nullable=False),  # retry | dead
    C("message", LargeBinary, nullable=False),
    C("attempts", Integer, nullable=False),
    C("first_tried_at", UtcDateTime, nullable=False),
    C("next_attempt_at", UtcDateTime),
    C("status", Integer),
    C("error", Text, nullable=False),
    C("error_class", String(60), nullable=False, server_default=""),
    C("user_key", Text, nullable=False, server_default=""),  # whose it is
    C("place", BigInteger, nullable=False, server_default="0"),  # in the order of the log
    C("previous_id", Text, nullable=False, server_default=""),  # whom an alias names beside
    Index("ix_deliveries_due", "destination_id", "state", "next_attempt_at"),
    Index("ix_deliveries_user_key", "destination_id", "user_key", "place"),
    Index(
        "ix_deliveries_previous_id",
        "destination_id",
        "previous_id",
        sqlite_where=text("previous_id <> ''"),
        postgresql_where=text("previous_id <> ''"),
    ),
)

delivery_counts = Table(
    "delivery_counts",
    metadata,
    C("destination_id", ForeignKey("destinations.id"), primary_key=True),
    C("delivered", BigInteger, nullable=False),
    C("delivered_first_try", BigInteger, nullable=False),
    C("filtered", BigInteger, nullable=False),
    C("unreadable", BigInteger, nullable=False, server_default="0"),  # records, not messages
    C("last_delivered_at", UtcDateTime),
    C("paused", Text, nullable=False, server_default=""),  # why nothing is sent; empty: it is
)

delivery_hours = Table(
    "delivery_hours",
    metadata,
    C("destination_id", ForeignKey("destinations.id"), primary_key=True),
    C("hour", UtcDateTime, primary_key=True),
    C("what", String(100), primary_key=True),  # see federation.figures
    C("count", BigInteger, nullable=False),
)

delivery_replays = Table(
    "delivery_replays",
    metadata,
    C("id", String(40), primary_key=True),
    C("destination_id", ForeignKey("destinations.id"), nullable=False, index=True),
    C("since", UtcDateTime, nullable=False),
    C("until", UtcDateTime, nullable=False),
    C("types", JSON, nullable=False),
    C("state", String(10), nullable=False),  # running | done | cancelled
    C("messages", BigInteger, nullable=False),
    C("next_offset", BigInteger, nullable=False),
    C("last_offset", BigInteger, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
)
delivery_samples = Table(
    "delivery_samples",
    metadata,
    C("id", BigId, primary_key=True, autoincrement=True),
    C("destination_id", ForeignKey("destinations.id"), nullable=False),
    C("error_class", String(60), nullable=False),
    C("message_id", String(100), nullable=False),
    C("user_key", Text, nullable=False),
    C("at", UtcDateTime, nullable=False),
    C("error", Text, nullable=False),
    C("received", Text, nullable=False),
    C("sent", Text, nullable=False),
    C("answered", Text, nullable=False),
    Index("ix_delivery_samples_class", "destination_id", "error_class", "id"),
)
