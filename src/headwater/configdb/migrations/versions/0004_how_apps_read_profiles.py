"""What an app counts as a success, and when it calls somebody dormant."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("apps") as apps:
        apps.add_column(sa.Column("profiles", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("apps") as apps:
        apps.drop_column("profiles")
