"""What apps decide about their own collection: masking and sampling."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("apps") as apps:
        apps.add_column(sa.Column("masking", sa.JSON(), nullable=True))
        apps.add_column(sa.Column("sampling", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("apps") as apps:
        apps.drop_column("sampling")
        apps.drop_column("masking")
