"""the register of risks, edge terminals and their events

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "risk",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=128), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("activity", sa.String(length=200), nullable=False),
        sa.Column("hazard", sa.Text(), nullable=False),
        sa.Column("accidents_written", sa.String(length=200), nullable=False),
        sa.Column("accidents", storage.database.Json, nullable=False),
        sa.Column("likelihood", sa.Double(), nullable=True),
        sa.Column("exposure", sa.Double(), nullable=True),
        sa.Column("consequence", sa.Double(), nullable=True),
        sa.Column("score_written", sa.Double(), nullable=True),
        sa.Column("level_written", sa.String(length=32), nullable=False),
        sa.Column("scheme", sa.String(length=2), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("computed", sa.String(length=8), nullable=False),
        sa.Column("colour", sa.String(length=8), nullable=False),
        sa.Column("residual_written", sa.String(length=48), nullable=False),
        sa.Column("measures", storage.database.Json, nullable=False),
        sa.Column("control_level", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("owner_name", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cycle", sa.String(length=64), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("notes", storage.database.Json, nullable=False),
        sa.Column("to_check", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("imported_at", storage.database.UtcTime(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_risk_area_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_risk_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk")),
        sa.UniqueConstraint("key", name=op.f("uq_risk_key")),
    )
    with op.batch_alter_table("risk", schema=None) as batch_op:
        batch_op.create_index("ix_risk_area_colour", ["area_id", "colour"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_colour"), ["colour"], unique=False)

    op.create_table(
        "edge_device",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("equipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", storage.database.UtcTime(), nullable=False),
        sa.Column("last_seen_at", storage.database.UtcTime(), nullable=True),
        sa.Column("last_status", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_edge_device_area_id")),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_edge_device_equipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edge_device")),
        sa.UniqueConstraint("code", name=op.f("uq_edge_device_code")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_edge_device_token_sha256")),
    )
    op.create_table(
        "edge_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", storage.database.UtcTime(), nullable=False),
        sa.Column("received_at", storage.database.UtcTime(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("facts", storage.database.Json, nullable=False),
        sa.Column("photo_sha", sa.String(length=64), nullable=False),
        sa.Column("hazard_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["edge_device.id"], name=op.f("fk_edge_event_device_id")),
        sa.ForeignKeyConstraint(["hazard_id"], ["hazard.id"], name=op.f("fk_edge_event_hazard_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edge_event")),
        sa.UniqueConstraint("device_id", "key", name=op.f("uq_edge_event_device_id_key")),
    )
    with op.batch_alter_table("edge_event", schema=None) as batch_op:
        batch_op.create_index("ix_edge_event_hazard", ["hazard_id"], unique=False)
        batch_op.create_index("ix_edge_event_incident", ["device_id", "kind", "channel", "occurred_at"], unique=False)


def downgrade() -> None:
    for table in ("edge_event", "edge_device", "risk"):
        op.drop_table(table)
