"""Regulations of privacy; one list of users whose old messages nobody reads."""

import sqlalchemy as sa
from alembic import op

from headwater.configdb.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regulations",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.Column("user_ids_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime()),
    )
    op.create_index("ix_regulations_state", "regulations", ["state"])
    op.create_table(
        "regulation_targets",
        sa.Column(
            "regulation_id", sa.String(40), sa.ForeignKey("regulations.id"), primary_key=True
        ),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("target_id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("users_done", sa.Integer(), nullable=False),
        sa.Column("users_refused", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime()),
    )
    op.create_table(
        "forgotten_users",
        sa.Column("user_mark", sa.String(64), primary_key=True),
        sa.Column("until", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_forgotten_users_until", "forgotten_users", ["until"])
    op.drop_table("warehouse_forgotten")
    op.add_column(
        "deliveries", sa.Column("previous_id", sa.Text(), nullable=False, server_default="")
    )
    named = sa.text("previous_id <> ''")
    op.create_index(
        "ix_deliveries_previous_id", "deliveries", ["destination_id", "previous_id"],
        sqlite_where=named, postgresql_where=named,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_deliveries_previous_id", "deliveries")
    op.drop_column("deliveries", "previous_id")
    op.create_table(
        "warehouse_forgotten",
        sa.Column("warehouse_id", sa.String(40), sa.ForeignKey("warehouses.id"), primary_key=True),
        sa.Column("user_mark", sa.String(40), primary_key=True),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
    )
    op.drop_table("forgotten_users")
    op.drop_table("regulation_targets")
    op.drop_table("regulations")
