"""The replacement that is open for a tenant is found at once: the ledger's guards ask for it with each row that goes."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Index what is open, which is one row at most."""
    is_open = sa.text("open IS NOT NULL")
    op.create_index("ix_replacements_open", "replacements", ["tenant"], sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    """Look through all of the tenant's again."""
    op.drop_index("ix_replacements_open", "replacements")
