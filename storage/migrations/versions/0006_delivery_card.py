"""find the messages of a card without reading the whole outbox

Revision: 0006, after 0005.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_delivery_card_id", "delivery", ["card_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_delivery_card_id", table_name="delivery")
