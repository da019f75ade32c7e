"""Accounts of rates and quotas, for gateways that count in their own database."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "limit_accounts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("used", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_limit_accounts"),
        if_not_exists=True,  # workers make it where they count in a database of its own
    )
    op.create_index("ix_limit_accounts_expires_at", "limit_accounts", ["expires_at"], if_not_exists=True)


def downgrade() -> None:
    """Drop it; everybody's counts begin anew."""
    op.drop_table("limit_accounts")
