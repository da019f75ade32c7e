"""A pushed request is begun once, in the browser that comes with it first."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0019"
down_revision: Final = "0018"
branch_labels: Final = None
depends_on: Final = None

_TABLE: Final = "pushed_requests"


def upgrade() -> None:
    """Add who has come with it, when, and what was begun."""
    op.add_column(_TABLE, sa.Column("browser_sha256", sa.Text(), nullable=True))
    op.add_column(_TABLE, sa.Column("claimed_at", sa.Double(), nullable=True))
    op.add_column(_TABLE, sa.Column("begun_as", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget them."""
    for column in ("begun_as", "claimed_at", "browser_sha256"):
        op.drop_column(_TABLE, column)
