"""accounts that the platform says are gone, terminals from which nothing comes

Revision: 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("left_at", storage.database.UtcTime(), nullable=True))
    op.add_column("edge_device", sa.Column("interval_s", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("edge_device", sa.Column("silent_at", storage.database.UtcTime(), nullable=True))
    op.add_column(
        "edge_device",
        sa.Column("silent_hazard_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )


def downgrade() -> None:
    for name in ("silent_hazard_id", "silent_at", "interval_s"):
        op.drop_column("edge_device", name)
    op.drop_column("account", "left_at")
