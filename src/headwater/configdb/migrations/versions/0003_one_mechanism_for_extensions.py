"""One mechanism for extensions: settings as one document, and an outbox of whole batches.

A connection of before goes on: its settings, its key, its watermark, what waits and what was
refused are carried over, and each user's newest window is remembered.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from headwater.configdb.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = UtcDateTime(timezone=True)
_MOST_IN_BATCH = 10
"""Ten messages of at most 32 KB fit every receiver."""


def upgrade() -> None:
    _widen_connections()
    _create_suppressed_users()
    _create_backfills()
    _create_outbox()
    _carry_settings()
    _carry_outbox()
    op.drop_table("outbox")
    for name in ("endpoint", "partner_key_sealed", "payload_version"):
        op.drop_column("extension_connections", name)


def _widen_connections() -> None:
    op.add_column(
        "extension_connections",
        sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"),
    )
    for name in ("secret_sealed", "secret_check"):
        op.add_column(
            "extension_connections", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
    op.add_column(
        "extension_connections",
        sa.Column("schedule", sa.String(length=40), nullable=False, server_default=""),
    )
    op.add_column(
        "extension_connections",
        sa.Column("audience", sa.JSON(), nullable=False, server_default="[]"),
    )
    op.add_column(
        "extension_runs",
        sa.Column("kind", sa.String(length=10), nullable=False, server_default="sync"),
    )


def _create_suppressed_users() -> None:
    op.create_table(
        "suppressed_users",
        sa.Column("app_id", sa.String(length=40), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_suppressed_users_app_id"),
        sa.PrimaryKeyConstraint("app_id", "fingerprint", name="pk_suppressed_users"),
    )


def _create_backfills() -> None:
    op.create_table(
        "extension_backfills",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("above", sa.Text(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=True),
        _belongs("extension_backfills"),
        sa.PrimaryKeyConstraint("id", name="pk_extension_backfills"),
    )
    op.create_index(
        "ix_extension_backfills_connection_id", "extension_backfills", ["connection_id"]
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox_batches",
        sa.Column("id", _BIG_ID, nullable=False, autoincrement=True),
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("lot", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("deflated", sa.LargeBinary(), nullable=True),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("delivered_at", _TIME, nullable=True),
        _belongs("outbox_batches"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_batches"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_batches_state", "outbox_batches", ["connection_id", "state", "created_at", "id"]
    )
    op.create_table(
        "outbox_windows",
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        _belongs("outbox_windows"),
        sa.PrimaryKeyConstraint("connection_id", "subject", name="pk_outbox_windows"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox_dead",
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        _belongs("outbox_dead"),
        sa.PrimaryKeyConstraint("connection_id", "message_id", name="pk_outbox_dead"),
    )
    op.create_index("ix_outbox_dead_created_at", "outbox_dead", ["connection_id", "created_at"])


def _belongs(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["connection_id"], ["extension_connections.id"], name=f"fk_{table}_connection_id"
    )


def _carry_settings() -> None:
    known = sa.table(
        "extension_connections",
        *(sa.column(name) for name in ("id", "endpoint", "payload_version", "partner_key_sealed")),
        sa.column("settings", sa.JSON()),
        sa.column("secret_sealed"),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(known)).mappings().all():
        settings = {"endpoint": row["endpoint"], "payload_version": row["payload_version"]}
        connection.execute(
            known.update()
            .where(known.c.id == row["id"])
            .values(settings=settings, secret_sealed=row["partner_key_sealed"])
        )


def _carry_outbox() -> None:
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "INSERT INTO outbox_dead (connection_id, message_id, user_id, payload, error, created_at) "
            "SELECT connection_id, message_id, user_id, payload, error, created_at "
            "FROM outbox WHERE state = 'dead'"
        )
    )
    remember = sa.text(
        "INSERT INTO outbox_windows (connection_id, subject, message_id) "
        "SELECT connection_id, 'user:' || user_id, message_id FROM outbox AS newest "
        "WHERE NOT EXISTS (SELECT 1 FROM outbox AS other "
        "WHERE other.connection_id = newest.connection_id AND other.user_id = newest.user_id "
        "AND (other.created_at > newest.created_at OR (other.created_at = newest.created_at "
        "AND other.message_id > newest.message_id)))"
    )
    connection.execute(sa.text("CREATE INDEX ix_outbox_user ON outbox (connection_id, user_id)"))
    connection.execute(remember)
    for batch in _waiting_batches(connection):
        connection.execute(_BATCHES.insert().values(batch))


_OUTBOX = sa.table(
    "outbox",
    *(sa.column(name) for name in ("connection_id", "message_id", "state", "payload", "run_id")),
    sa.column("created_at", _TIME),
)
_BATCHES = sa.table(
    "outbox_batches",
    *(
        sa.column(name)
        for name in (
            "connection_id", "lot", "state", "messages", "deflated", "checksum", "size_bytes",
            "attempts", "error",
        )
    ),
    sa.column("created_at", _TIME),
)  # fmt: skip


def _waiting_batches(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    question = (
        sa.select(_OUTBOX)
        .where(_OUTBOX.c.state.in_(("due", "sent")), _OUTBOX.c.payload.is_not(None))
        .order_by(_OUTBOX.c.connection_id, _OUTBOX.c.created_at, _OUTBOX.c.message_id)
    )
    group: list[Any] = []
    for row in connection.execute(question, execution_options={"yield_per": 500}).mappings():
        same = group and all(row[name] == group[0][name] for name in ("connection_id", "run_id"))
        if group and (not same or len(group) == _MOST_IN_BATCH):
            yield _batch(group)
            group = []
        group.append(row)
    if group:
        yield _batch(group)


def _batch(rows: Sequence[Any]) -> dict[str, Any]:
    body = b'{"batch":[' + b",".join(bytes(row["payload"]) for row in rows)
    squeezer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return {
        "connection_id": rows[0]["connection_id"],
        "lot": rows[0]["run_id"],
        "state": "due",
        "messages": len(rows),
        "deflated": squeezer.compress(body) + squeezer.flush(zlib.Z_FULL_FLUSH),
        "checksum": zlib.crc32(body),
        "size_bytes": len(body),
        "attempts": 0,
        "error": "",
        "created_at": rows[0]["created_at"],
    }


def downgrade() -> None:
    message = "The outbox cannot be cut into single messages again: restore a backup."
    raise NotImplementedError(message)
