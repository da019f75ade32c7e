"""Requests that PSUs decide on in their bank apps (OpenID CIBA Core 1.0)."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0017"
down_revision: Final = "0016"
branch_labels: Final = None
depends_on: Final = None

_TABLE: Final = "backchannel_requests"
_INDEXED: Final = ("client_id", "ping_at", "expires_at")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        _TABLE,
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("authorisation", sa.Text(), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("is_made", sa.Boolean(), nullable=False),
        sa.Column("authorization_details", sa.Text(), nullable=True),
        sa.Column("polled_at", sa.Double(), nullable=True),
        sa.Column("ping", sa.Text(), nullable=True),
        sa.Column("ping_at", sa.Double(), nullable=True),
        sa.Column("pings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=f"pk_{_TABLE}"),
    )
    for column in _INDEXED:
        op.create_index(f"ix_{_TABLE}_{column}", _TABLE, [column])


def downgrade() -> None:
    """Drop it, with what is being decided."""
    op.drop_table(_TABLE)
