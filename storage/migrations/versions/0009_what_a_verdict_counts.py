"""wind meters and zones in force, found without looking at the others

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WIND = sa.text("kind = 'wind'")


def upgrade() -> None:
    op.create_index("ix_detector_wind", "detector", ["id"], sqlite_where=WIND, postgresql_where=WIND)
    op.create_index("ix_zone_active", "zone", ["active"])


def downgrade() -> None:
    op.drop_index("ix_zone_active", "zone")
    op.drop_index("ix_detector_wind", "detector")
