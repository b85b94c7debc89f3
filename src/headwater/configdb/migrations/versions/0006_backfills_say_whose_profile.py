"""Whether a backfill tells profiles as they are, or as they were on each day."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "extension_backfills",
        sa.Column("profile", sa.String(4), nullable=False, server_default="now"),
    )


def downgrade() -> None:
    op.drop_column("extension_backfills", "profile")
