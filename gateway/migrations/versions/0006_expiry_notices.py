"""Which steps on certificates' way to their end have been told, so that each is told once."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "expiry_notices",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("place", "sha256", "days", name="pk_expiry_notices"),
    )


def downgrade() -> None:
    """Drop it; what has been told is told once more."""
    op.drop_table("expiry_notices")
