"""The keys that clients publish, fetched once for all workers."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "client_key_sets",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.Double(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("jwks", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("url", name="pk_client_key_sets"),
    )
    op.create_index("ix_client_key_sets_tried_at", "client_key_sets", ["tried_at"])


def downgrade() -> None:
    """Drop it; what is needed is fetched anew."""
    op.drop_table("client_key_sets")
