"""Up to where books hold what a tenant's seed tells; the copies of whole seeds that the bank kept aside are no more needed."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table; tenants that are there get a bookmark with their next reset."""
    op.create_table(
        "seed_bookmarks",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("told_at", sa.Float, nullable=False),
        sa.Column("telling", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("positions", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_seed_bookmarks"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_seed_bookmarks_tenant"),
    )
    op.execute("DELETE FROM snapshots WHERE name LIKE '~%'")


def downgrade() -> None:
    """Drop it; without copies kept aside a reset makes everything anew."""
    op.drop_table("seed_bookmarks")
