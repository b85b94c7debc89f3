"""What sources receive, refuse, have seen and do not let in."""

import sqlalchemy as sa
from alembic import op

from headwater.configdb.tables import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_hours",
        sa.Column("source_id", sa.String(40), primary_key=True),
        sa.Column("hour", UtcDateTime(), primary_key=True),
        sa.Column("what", sa.String(60), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_source_hours_hour", "source_hours", ["hour"])
    op.create_table(
        "source_refusals",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source_id", sa.String(40), nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_source_refusals", "source_refusals", ["source_id", "code"])
    op.create_table(
        "source_names",
        *_name(),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "source_rules", *_name(), sa.Column("created_at", UtcDateTime(), nullable=False)
    )


def _name() -> list[sa.Column[str]]:
    return [
        sa.Column("source_id", sa.String(40), sa.ForeignKey("sources.id"), primary_key=True),
        sa.Column("type", sa.String(10), primary_key=True),
        sa.Column("event", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
    ]


def downgrade() -> None:
    for table in ("source_rules", "source_names", "source_refusals", "source_hours"):
        op.drop_table(table)
