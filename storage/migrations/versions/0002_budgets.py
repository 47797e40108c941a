"""budgets of the platforms: use by day, switches and snapshots, and since when a message waits

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_use",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("budget", sa.String(length=24), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_use")),
        sa.UniqueConstraint("platform", "budget", "day", name=op.f("uq_api_use_platform_budget_day")),
    )
    op.create_table(
        "app_note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("value", storage.database.Json, nullable=False),
        sa.Column("at", storage.database.UtcTime(), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_app_note_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_note")),
        sa.UniqueConstraint("name", name=op.f("uq_app_note_name")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wanted_at", storage.database.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("checked_at", storage.database.UtcTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_column("checked_at")
        batch_op.drop_column("wanted_at")
    op.drop_table("app_note")
    op.drop_table("api_use")
