"""Authorization requests that clients pushed (RFC 9126), and which client assertions were used (RFC 7523)."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0016"
down_revision: Final = "0015"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables; requests that are under way were not pushed."""
    op.create_table(
        "pushed_requests",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("answered_by", sa.Text()),
        sa.PrimaryKeyConstraint("sha256", name="pk_pushed_requests"),
    )
    op.create_index("ix_pushed_requests_expires_at", "pushed_requests", ["expires_at"])
    op.create_table(
        "client_assertions",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_client_assertions"),
    )
    op.create_index("ix_client_assertions_expires_at", "client_assertions", ["expires_at"])
    op.add_column("authorization_requests", sa.Column("pushed_sha256", sa.Text()))


def downgrade() -> None:
    """Drop them; what was pushed has to be pushed anew."""
    op.drop_column("authorization_requests", "pushed_sha256")
    op.drop_table("client_assertions")
    op.drop_table("pushed_requests")
