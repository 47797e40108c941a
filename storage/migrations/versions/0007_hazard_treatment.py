"""whether a hazard is major, and its treatment: the five fixes and the evaluation

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hazard_treatment",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("hazard_id", BIG_ID, nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by_id", BIG_ID, nullable=False),
        sa.Column("at", storage.database.UtcTime(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_hazard_treatment_by_id")),
        sa.ForeignKeyConstraint(["hazard_id"], ["hazard.id"], name=op.f("fk_hazard_treatment_hazard_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hazard_treatment")),
    )
    op.create_index(op.f("ix_hazard_treatment_hazard_id"), "hazard_treatment", ["hazard_id"], unique=False)
    with op.batch_alter_table("hazard", schema=None) as batch_op:
        batch_op.add_column(sa.Column("major", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("hazard", schema=None) as batch_op:
        batch_op.drop_column("major")
    op.drop_index(op.f("ix_hazard_treatment_hazard_id"), table_name="hazard_treatment")
    op.drop_table("hazard_treatment")
