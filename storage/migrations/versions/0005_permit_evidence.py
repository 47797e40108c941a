"""what was told for a measure of a permit, and the boxes of the standard's form that only one work has

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("permit_approval", schema=None) as batch_op:
        batch_op.add_column(sa.Column("said", sa.Text(), server_default="", nullable=False))
    with op.batch_alter_table("permit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("boxes", storage.database.Json, server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("permit", schema=None) as batch_op:
        batch_op.drop_column("boxes")
    with op.batch_alter_table("permit_approval", schema=None) as batch_op:
        batch_op.drop_column("said")
