"""The funds consents that a PSU has given are found at once: its bank app lists them."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0017"
down_revision: Final = "0016"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Index them, as consents to see accounts are."""
    op.create_index("ix_funds_consents_psu", "funds_consents", ["tenant", "psu", "status"])


def downgrade() -> None:
    """Look through all of them again."""
    op.drop_index("ix_funds_consents_psu", "funds_consents")
