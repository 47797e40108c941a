"""roll calls, the move to a new policy, a stale confirmation, the shift of a duty

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roll_call",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("case_kind", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("plan", storage.database.Json, nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("started_at", storage.database.UtcTime(), nullable=False),
        sa.Column("started_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("all_confirmed_at", storage.database.UtcTime(), nullable=True),
        sa.Column("ended_at", storage.database.UtcTime(), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_roll_call_area_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=op.f("fk_roll_call_ended_by_id")),
        sa.ForeignKeyConstraint(["started_by_id"], ["person.id"], name=op.f("fk_roll_call_started_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_call")),
        sa.UniqueConstraint("number", name=op.f("uq_roll_call_number")),
    )
    with op.batch_alter_table("roll_call", schema=None) as batch_op:
        batch_op.create_index("ix_roll_call_of", ["case_kind", "case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_roll_call_area_id"), ["area_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_roll_call_ended_at"), ["ended_at"], unique=False)
    op.create_table(
        "roll_call_member",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("called_at", storage.database.UtcTime(), nullable=False),
        sa.Column("confirmed_at", storage.database.UtcTime(), nullable=True),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("help_at", storage.database.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_roll_call_member_by_id")),
        sa.ForeignKeyConstraint(["call_id"], ["roll_call.id"], name=op.f("fk_roll_call_member_call_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_roll_call_member_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_call_member")),
        sa.UniqueConstraint("call_id", "person_id", name=op.f("uq_roll_call_member_call_id_person_id")),
    )
    with op.batch_alter_table("roll_call_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_roll_call_member_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_roll_call_member_person_id"), ["person_id"], unique=False)
    with op.batch_alter_table("policy", schema=None) as batch_op:
        batch_op.add_column(sa.Column("move_asked_at", storage.database.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("move_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("move_via", sa.String(length=16), server_default="", nullable=False))
        batch_op.add_column(sa.Column("moved_at", storage.database.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("moved_count", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("hazard", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked_again_at", storage.database.UtcTime(), nullable=True))
    with op.batch_alter_table("duty", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shift", sa.String(length=24), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("duty", schema=None) as batch_op:
        batch_op.drop_column("shift")
    with op.batch_alter_table("hazard", schema=None) as batch_op:
        batch_op.drop_column("asked_again_at")
    with op.batch_alter_table("policy", schema=None) as batch_op:
        for name in ("moved_count", "moved_at", "move_via", "move_by_id", "move_asked_at"):
            batch_op.drop_column(name)
    op.drop_table("roll_call_member")
    op.drop_table("roll_call")
