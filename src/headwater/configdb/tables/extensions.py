"""Tables of extensions: connections, audiences, runs, the outbox.

Secrets are cipher text.
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
)
from sqlalchemy import Column as C  # noqa: N817 - it stands on every line below

from headwater.configdb.tables.base import BigId, UtcDateTime, metadata

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
