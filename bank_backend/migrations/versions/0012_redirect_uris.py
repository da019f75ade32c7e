"""Where a TPP has registered that it takes PSUs back; what was registered before is told with the TPP's next change."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("tenants", sa.Column("redirect_uris", sa.JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("tenants", "redirect_uris")
