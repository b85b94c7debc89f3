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
    _grow_deliveries()
    _grow_warehouses()
    op.create_table(
        "suppressed_ids",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("suppressed_ids")
    _shrink_warehouses()
    _shrink_deliveries()
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


def _grow_deliveries() -> None:
    kinds = {"error_class": sa.String(60), "user_key": sa.Text()}
    for name, kind in kinds.items():
        op.add_column("deliveries", sa.Column(name, kind, nullable=False, server_default=""))
    op.add_column(
        "deliveries", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_index("ix_deliveries_user_key", "deliveries", ["destination_id", "user_key", "place"])
    op.add_column(
        "delivery_counts",
        sa.Column("unreadable", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.add_column(
        "delivery_counts", sa.Column("paused", sa.Text(), nullable=False, server_default="")
    )
    op.create_table(
        "delivery_hours",
        sa.Column(
            "destination_id", sa.String(40), sa.ForeignKey("destinations.id"), primary_key=True
        ),
        sa.Column("hour", UtcDateTime(), primary_key=True),
        sa.Column("what", sa.String(100), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )
    _create_samples()
    _create_replays()


def _create_replays() -> None:
    op.create_table(
        "delivery_replays",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column(
            "destination_id", sa.String(40), sa.ForeignKey("destinations.id"), nullable=False
        ),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("messages", "next_offset", "last_offset")
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_delivery_replays_destination_id", "delivery_replays", ["destination_id"])


def _create_samples() -> None:
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "delivery_samples",
        sa.Column("id", big_id, primary_key=True, autoincrement=True),
        sa.Column(
            "destination_id", sa.String(40), sa.ForeignKey("destinations.id"), nullable=False
        ),
        sa.Column("error_class", sa.String(60), nullable=False),
        sa.Column("message_id", sa.String(100), nullable=False),
        sa.Column("user_key", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("error", "received", "sent", "answered")
        ),
    )
    op.create_index(
        "ix_delivery_samples_class", "delivery_samples", ["destination_id", "error_class", "id"]
    )


def _shrink_deliveries() -> None:
    for table in ("delivery_replays", "delivery_samples", "delivery_hours"):
        op.drop_table(table)
    op.drop_index("ix_deliveries_user_key", "deliveries")
    for name in ("error_class", "user_key", "place"):
        op.drop_column("deliveries", name)
    for name in ("unreadable", "paused"):
        op.drop_column("delivery_counts", name)


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
