"""Tokens that are bound to a key, and the key that a code may be bound to from its request on (RFC 9449 §6, §10)."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"
branch_labels: Final = None
depends_on: Final = None

_COLUMNS: Final = (("access_tokens", "jkt"), ("authorization_requests", "dpop_jkt"), ("authorization_codes", "dpop_jkt"))


def upgrade() -> None:
    """Add the columns; what there is is bound to no key."""
    for table, column in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them. A token that was bound to a key alone would be bound to nothing without them, so those go too."""
    op.execute("DELETE FROM access_tokens WHERE jkt IS NOT NULL")
    for table, column in _COLUMNS:
        op.drop_column(table, column)
