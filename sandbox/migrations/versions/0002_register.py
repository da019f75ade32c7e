"""The register of TPPs, and what the gateway has acknowledged."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "tpps",
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("redirect_uris", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("access_token_sha256", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_number", name="pk_tpps"),
    )
    op.create_index("ix_tpps_name", "tpps", ["name"], unique=True)
    op.create_index("ix_tpps_client_id", "tpps", ["client_id"], unique=True)
    op.create_table(
        "deliveries",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_deliveries"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("deliveries")
    op.drop_table("tpps")
