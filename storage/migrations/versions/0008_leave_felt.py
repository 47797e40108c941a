"""until when what a leave changes has been seen to

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("leave", schema=None) as batch_op:
        batch_op.add_column(sa.Column("felt_at", storage.database.UtcTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("leave", schema=None) as batch_op:
        batch_op.drop_column("felt_at")
