"""how often a permit could not be judged in a row, and since when

Revision: 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("permit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("judge_failures", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("unjudged_since", storage.database.UtcTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("permit", schema=None) as batch_op:
        batch_op.drop_column("unjudged_since")
        batch_op.drop_column("judge_failures")
