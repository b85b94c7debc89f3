"""Whether a backfill tells profiles as they are or were, and cohorts as audiences."""

import sqlalchemy as sa
from alembic import op

from headwater.configdb.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "extension_backfills",
        sa.Column("profile", sa.String(4), nullable=False, server_default="now"),
    )
    op.add_column(
        "extension_connections",
        sa.Column("cohort_id", sa.String(40), nullable=False, server_default=""),
    )
    op.create_table(
        "cohorts",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("app_id", sa.String(40), sa.ForeignKey("apps.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
    )
    op.create_index("uq_cohorts_app_name", "cohorts", ["app_id", "name"], unique=True)


def downgrade() -> None:
    op.drop_table("cohorts")
    op.drop_column("extension_connections", "cohort_id")
    op.drop_column("extension_backfills", "profile")
