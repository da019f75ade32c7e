"""What a TPP's OAuth client registers beyond its addresses: how it authenticates, its keys, its grants."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column; the clients there are have nothing but defaults."""
    op.add_column("tpps", sa.Column("client_metadata", sa.Text(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Drop it; the gateway keeps what it was told."""
    op.drop_column("tpps", "client_metadata")
