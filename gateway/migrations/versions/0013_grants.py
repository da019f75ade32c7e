"""Grants that clients manage, and what authorization requests and codes say of them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table and the columns."""
    op.create_table(
        "grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("authorization_details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    for column in ("client_id", "expires_at"):
        op.create_index(f"ix_grants_{column}", "grants", [column])
    op.add_column("authorization_requests", sa.Column("is_made", sa.Boolean(), nullable=False, server_default=sa.false()))
    for column in ("authorization_details", "grant_action", "grant_id"):
        op.add_column("authorization_requests", sa.Column(column, sa.Text(), nullable=True))
    op.add_column("authorization_codes", sa.Column("authorization_details", sa.Text(), nullable=True))
    op.add_column("authorization_codes", sa.Column("tells_grant", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop them."""
    for column in ("tells_grant", "authorization_details"):
        op.drop_column("authorization_codes", column)
    for column in ("grant_id", "grant_action", "authorization_details", "is_made"):
        op.drop_column("authorization_requests", column)
    op.drop_table("grants")
