"""Why a TPP is blocked, and whom the operator keeps out of the portal."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("tpps", sa.Column("block_reason", sa.Text(), nullable=True))
    op.add_column("developers", sa.Column("disabled_at", sa.Double(), nullable=True))


def downgrade() -> None:
    """Drop them; whoever was kept out may sign in again."""
    op.drop_column("developers", "disabled_at")
    op.drop_column("tpps", "block_reason")
