"""Accounts at CAs that speak ACME, how far certificates from them have come, and what the edge answers them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "acme_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account", "directory", name="pk_acme_accounts"),
    )
    op.create_table(
        "acme_progress",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.Double()),
        sa.Column("next_try_at", sa.Double()),
        sa.Column("leased_until", sa.Double()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("obtained_at", sa.Double()),
        sa.Column("sha256", sa.Text()),
        sa.Column("renew_at", sa.Double()),
        sa.Column("ask_at", sa.Double()),
        sa.Column("order_directory", sa.Text()),
        sa.Column("order_url", sa.Text()),
        sa.Column("order_key", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("name", name="pk_acme_progress"),
    )
    op.create_table(
        "acme_challenges",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_acme_challenges"),
    )
    op.create_index("ix_acme_challenges_expires_at", "acme_challenges", ["expires_at"])


def downgrade() -> None:
    """Drop them; accounts are made anew, orders placed once more."""
    op.drop_table("acme_challenges")
    op.drop_table("acme_progress")
    op.drop_table("acme_accounts")
