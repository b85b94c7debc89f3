"""Name every table of the configuration database, in one place, for migrations and for rooms.

Tables only; the questions asked of them live in the rooms that own them (see the comments). Times
are aware UTC. Secrets are cipher text or fingerprints (`base.vault`), never plain.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy import Column as C  # noqa: N817 - it stands on every line below
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps no zone, so it is added on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = BigInteger().with_variant(Integer, "sqlite")

# workspace ------------------------------------------------------------------------------------

apps = Table(
    "apps",
    metadata,
    C("id", String(40), primary_key=True),
    C("name", String(200), nullable=False, unique=True),
    C("timezone", String(64), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("masking", JSON),
    C("sampling", JSON),
    C("profiles", JSON),
)

collector_keys = Table(
    "collector_keys",
    metadata,
    C("id", String(40), primary_key=True),
    C("app_id", ForeignKey("apps.id"), nullable=False, index=True),
    C("fingerprint", String(64), nullable=False, unique=True),
    C("sealed", Text, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("revoked_at", UtcDateTime),
)

logins = Table(
    "logins",
    metadata,
    C("id", String(40), primary_key=True),
    C("email", String(320), nullable=False, unique=True),
    C("password_hash", Text, nullable=False),
    C("role", String(20), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    C("fingerprint", String(64), primary_key=True),
    C("login_id", ForeignKey("logins.id"), nullable=False),
    C("csrf_token", String(64), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("expires_at", UtcDateTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    C("id", String(40), primary_key=True),
    C("name", String(200), nullable=False),
    C("fingerprint", String(64), nullable=False, unique=True),
    C("scopes", String(100), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("revoked_at", UtcDateTime),
)

setup_links = Table(
    "setup_links",
    metadata,
    C("fingerprint", String(64), primary_key=True),
    C("created_at", UtcDateTime, nullable=False),
    C("used_at", UtcDateTime),
)

suppressed_users = Table(
    "suppressed_users",
    metadata,
    C("app_id", ForeignKey("apps.id"), primary_key=True),
    C("fingerprint", String(64), primary_key=True),  # of the user id, which need not be kept
    C("reason", String(20), nullable=False),  # asked | erased
    C("created_at", UtcDateTime, nullable=False),
)

# readers of the log ----------------------------------------------------------------------------

positions = Table(
    "positions",
    metadata,
    C("reader", String(100), primary_key=True),
    C("stream", String(40), nullable=False),
    C("next_offset", BigInteger, nullable=False),
    C("pending_first", BigInteger),
    C("pending_last", BigInteger),
    C("updated_at", UtcDateTime, nullable=False),
)

# sources ---------------------------------------------------------------------------------------

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

# tracking --------------------------------------------------------------------------------------

seen_messages = Table(
    "seen_messages",
    metadata,
    C("source_id", String(40), primary_key=True),
    C("message_id", String(100), primary_key=True),
    C("log_offset", BigInteger, nullable=False),
    C("seen_at", UtcDateTime, nullable=False, index=True),
)

# destinations and federation -------------------------------------------------------------------

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
    Index("ix_deliveries_due", "destination_id", "state", "next_attempt_at"),
    Index("ix_deliveries_user_key", "destination_id", "user_key", "place"),
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

# warehouse -------------------------------------------------------------------------------------

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

# Users whose messages up to an offset a warehouse must not load (again).
warehouse_forgotten = Table(
    "warehouse_forgotten",
    metadata,
    C("warehouse_id", ForeignKey("warehouses.id"), primary_key=True),
    C("user_mark", String(40), primary_key=True),  # keyed fingerprint of the user id
    C("last_offset", BigInteger, nullable=False),
)

# extensions ------------------------------------------------------------------------------------

extension_connections = Table(
    "extension_connections",
    metadata,
    C("id", String(40), primary_key=True),
    C("app_id", ForeignKey("apps.id"), nullable=False),
    C("type", String(40), nullable=False),
    C("settings", JSON, nullable=False, server_default="{}"),  # the extension's own, checked
    C("secret_sealed", Text, nullable=False, server_default=""),
    C("secret_check", Text, nullable=False, server_default=""),  # what the endpoint said of it
    C("schedule", String(40), nullable=False, server_default=""),  # empty: the setting's
    C("audience", JSON, nullable=False, server_default="[]"),  # conditions that users must meet
    C("cohort_id", String(40), nullable=False, server_default=""),  # not empty: its conditions
    C("enabled", Boolean, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C(
        "watermark", BigInteger, nullable=False
    ),  # highest log offset whose changes were put in the outbox
    C("watermark_day", String(10), nullable=False),  # last day whose rollups were put in the outbox
    C("failures", Integer, nullable=False),  # refusals or silences of the endpoint in a row
    C("retry_at", UtcDateTime),  # nothing is sent by itself before
    C("last_error", Text, nullable=False),
    Index("uq_extension_connections_app_type", "app_id", "type", unique=True),
)

# Conditions on users under a name; see `extensions/cohorts.py`.
cohorts = Table(
    "cohorts",
    metadata,
    C("id", String(40), primary_key=True),
    C("app_id", ForeignKey("apps.id"), nullable=False),
    C("name", String(200), nullable=False),
    C("conditions", JSON, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("changed_at", UtcDateTime, nullable=False),
    Index("uq_cohorts_app_name", "app_id", "name", unique=True),
)

extension_runs = Table(
    "extension_runs",
    metadata,
    C("id", String(40), primary_key=True),
    C("connection_id", ForeignKey("extension_connections.id"), nullable=False, index=True),
    C("kind", String(10), nullable=False, server_default="sync"),  # sync | full
    C("state", String(20), nullable=False),  # running | success | failure
    C("started_at", UtcDateTime, nullable=False),
    C("finished_at", UtcDateTime),
    C("users_considered", Integer, nullable=False),
    C("sent", Integer, nullable=False),
    C("delivered", Integer, nullable=False),
    C("failed", Integer, nullable=False),
    C("error", Text, nullable=False),
)

extension_backfills = Table(
    "extension_backfills",
    metadata,
    C("id", String(40), primary_key=True),
    C("connection_id", ForeignKey("extension_connections.id"), nullable=False, index=True),
    C("state", String(20), nullable=False),  # running | done | cancelled
    C("first_day", String(10), nullable=False),
    C("last_day", String(10), nullable=False),
    C("day", String(10), nullable=False),  # the one being made; empty: today's state, at the end
    C("above", Text, nullable=False),  # users up to this id are in the outbox, of that day
    C("profile", String(4), nullable=False, server_default="now"),  # now | then
    C("messages", BigInteger, nullable=False),
    C("started_at", UtcDateTime, nullable=False),
    C("finished_at", UtcDateTime),
)

outbox_batches = Table(
    "outbox_batches",
    metadata,
    C("id", BigId, primary_key=True, autoincrement=True),
    C("connection_id", ForeignKey("extension_connections.id"), nullable=False),
    C("lot", String(60), nullable=False),  # what may be on the wire together: one run, one day
    C("state", String(10), nullable=False),  # due | sent | delivered
    C("messages", Integer, nullable=False),
    C("deflated", LargeBinary),  # see extensions.packet; empty once delivered
    C("checksum", BigInteger, nullable=False),
    C("size_bytes", Integer, nullable=False),
    C("attempts", Integer, nullable=False),
    C("error", Text, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("delivered_at", UtcDateTime),
    Index("ix_outbox_batches_state", "connection_id", "state", "created_at", "id"),
    sqlite_autoincrement=True,
)

outbox_windows = Table(
    "outbox_windows",
    metadata,
    C("connection_id", ForeignKey("extension_connections.id"), primary_key=True),
    C("subject", Text, primary_key=True),
    C("message_id", String(100), nullable=False),  # the newest that entered
    sqlite_with_rowid=False,
)

outbox_dead = Table(
    "outbox_dead",
    metadata,
    C("connection_id", ForeignKey("extension_connections.id"), primary_key=True),
    C("message_id", String(100), primary_key=True),
    C("user_id", Text, nullable=False),
    C("payload", LargeBinary),  # empty: too large to be sent at all
    C("error", Text, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    Index("ix_outbox_dead_created_at", "connection_id", "created_at"),
)
