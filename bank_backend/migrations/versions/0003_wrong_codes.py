"""Wrong one-time codes in a row, counted for each PSU."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "wrong_codes",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("psu", sa.String(64), nullable=False),
        sa.Column("in_a_row", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.Float),
        sa.PrimaryKeyConstraint("tenant", "psu", name="pk_wrong_codes"),
        sa.ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"], name="fk_wrong_codes_tenant_psu"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("wrong_codes")
