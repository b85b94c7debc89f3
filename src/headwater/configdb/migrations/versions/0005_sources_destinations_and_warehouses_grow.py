"""What sources, destinations, warehouses and regulations keep beside their settings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


_SEND = [{"action": "send", "id": "map_send", "name": "Send", "trigger": {"all": []}}]
"""What the webhooks of before do."""


def upgrade() -> None:
    _grow_destinations()


def downgrade() -> None:
    _shrink_destinations()


def _grow_destinations() -> None:
    for name in ("filters", "mappings"):
        op.add_column(
            "destinations", sa.Column(name, sa.JSON(), nullable=False, server_default="[]")
        )
    op.add_column(
        "destinations",
        sa.Column("keeps_order", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    known = sa.table("destinations", sa.column("mappings", sa.JSON()))
    op.get_bind().execute(known.update().values(mappings=_SEND))


def _shrink_destinations() -> None:
    for name in ("filters", "mappings", "keeps_order"):
        op.drop_column("destinations", name)
