"""The words by which a PSU recognises in its bank app what it was told elsewhere (OpenID CIBA Core 1.0 §7.1)."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("authorisations", sa.Column("binding_message", sa.String(100), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("authorisations", "binding_message")
