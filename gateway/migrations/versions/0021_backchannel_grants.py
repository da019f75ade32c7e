"""Backchannel requests know which grant they give a name to, or change."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0021"
down_revision: Final = "0020"
branch_labels: Final = None
depends_on: Final = None

_TABLE: Final = "backchannel_requests"
_COLUMNS: Final = ("grant_action", "grant_id", "merges")


def upgrade() -> None:
    """Add it."""
    for column in _COLUMNS:
        op.add_column(_TABLE, sa.Column(column, sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    for column in reversed(_COLUMNS):
        op.drop_column(_TABLE, column)
