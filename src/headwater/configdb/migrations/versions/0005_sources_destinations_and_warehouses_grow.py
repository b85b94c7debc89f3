"""What sources, destinations, warehouses and regulations keep beside their settings."""

import sqlalchemy as sa
from alembic import op

from headwater.configdb.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


_SEND = [{"action": "send", "id": "map_send", "name": "Send", "trigger": {"all": []}}]
"""What the webhooks of before do."""


def upgrade() -> None:
    _grow_destinations()
    _grow_warehouses()
    op.create_table(
        "suppressed_ids",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    unreadable = sa.Column("unreadable", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("delivery_counts", unreadable)


def downgrade() -> None:
    op.drop_table("suppressed_ids")
    op.drop_column("delivery_counts", "unreadable")
    _shrink_warehouses()
    _shrink_destinations()


def _grow_destinations() -> None:
    for name in ("filters", "mappings"):
        op.add_column(
            "destinations", sa.Column(name, sa.JSON(), nullable=False, server_default="[]")
        )
    known = sa.table("destinations", sa.column("mappings", sa.JSON()))
    op.get_bind().execute(known.update().values(mappings=_SEND))


def _shrink_destinations() -> None:
    for name in ("filters", "mappings"):
        op.drop_column("destinations", name)


def _grow_warehouses() -> None:
    op.add_column(
        "warehouses", sa.Column("schedule", sa.String(40), nullable=False, server_default="")
    )
    op.add_column(
        "warehouses", sa.Column("excluded", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column(
        "warehouses", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "warehouse_syncs",
        sa.Column("cause", sa.String(20), nullable=False, server_default="schedule"),
    )
    for name in ("prepare_s", "load_s"):
        op.add_column(
            "warehouse_syncs", sa.Column(name, sa.Float(), nullable=False, server_default="0")
        )
    op.create_table(
        "warehouse_rereads",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("warehouse_id", sa.String(40), sa.ForeignKey("warehouses.id"), nullable=False),
        sa.Column("source_id", sa.String(40)),
        sa.Column("table_name", sa.String(200), nullable=False, server_default=""),
        sa.Column("last_offset", sa.BigInteger()),
        sa.Column("error", sa.Text(), nullable=False, server_default=""),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
    )
    op.create_index(
        op.f("ix_warehouse_rereads_warehouse_id"), "warehouse_rereads", ["warehouse_id"]
    )
    op.create_table(
        "warehouse_forgotten",
        sa.Column("warehouse_id", sa.String(40), sa.ForeignKey("warehouses.id"), primary_key=True),
        sa.Column("user_mark", sa.String(40), primary_key=True),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
    )


def _shrink_warehouses() -> None:
    op.drop_table("warehouse_forgotten")
    op.drop_table("warehouse_rereads")
    for name in ("cause", "prepare_s", "load_s"):
        op.drop_column("warehouse_syncs", name)
    for name in ("schedule", "excluded", "failures"):
        op.drop_column("warehouses", name)
