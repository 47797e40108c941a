"""what the operator made of an SMS, when it is asked next, and those to ask about found without the whole outbox

Revision: 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TO_ASK = sa.text("what = 'sms' AND checked_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("receipt", sa.String(12), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("receipt_due_at", storage.database.UtcTime(), nullable=True))
    op.create_index("ix_delivery_receipt", "delivery", ["confirmed_at"], sqlite_where=TO_ASK, postgresql_where=TO_ASK)


def downgrade() -> None:
    op.drop_index("ix_delivery_receipt", "delivery")
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_column("receipt_due_at")
        batch_op.drop_column("receipt")
