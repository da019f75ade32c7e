"""Answers of OCSP responders, and the addresses that CRLs are fetched from."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ocsp_answers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Double(), nullable=False),
        sa.Column("known_until", sa.Double(), nullable=False),
        sa.Column("refresh_at", sa.Double(), nullable=False),
        sa.Column("responder", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=False),
        sa.Column("taken_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_ocsp_answers"),
    )
    op.create_index("ix_ocsp_answers_known_until", "ocsp_answers", ["known_until"])
    op.create_table(
        "crl_points",
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("named_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("tried_at", sa.Double(), nullable=True),
        sa.Column("taken_at", sa.Double(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("store", "url", name="pk_crl_points"),
    )


def downgrade() -> None:
    """Drop them; responders are asked again."""
    op.drop_table("crl_points")
    op.drop_table("ocsp_answers")
