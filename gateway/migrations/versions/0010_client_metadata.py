"""What a client registers beyond the first columns: authentication, keys, algorithms, grants (RFC 7591 §2)."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column; the clients there are have nothing in it but defaults."""
    op.add_column("clients", sa.Column("oauth_metadata", sa.Text(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Drop it, and with it what only it says."""
    op.drop_column("clients", "oauth_metadata")
