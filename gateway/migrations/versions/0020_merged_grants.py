"""Requests and codes that merge something into a grant know what the grant held when the PSU was asked."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0020"
down_revision: Final = "0019"
branch_labels: Final = None
depends_on: Final = None

_TABLES: Final = ("authorization_requests", "authorization_codes")


def upgrade() -> None:
    """Add it."""
    for table in _TABLES:
        op.add_column(table, sa.Column("merges", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    for table in _TABLES:
        op.drop_column(table, "merges")
