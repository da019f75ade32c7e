"""Each tenant has a clock of its own, ahead of the real one by so many seconds, and a personality."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the columns: no clock is ahead yet, and every bank behaves in the standard way."""
    op.add_column("tenants", sa.Column("clock_offset_seconds", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("tenants", sa.Column("personality", sa.String(40), nullable=False, server_default="standard"))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("tenants", "personality")
    op.drop_column("tenants", "clock_offset_seconds")
