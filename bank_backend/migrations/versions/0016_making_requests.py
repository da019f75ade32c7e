"""What a request has made answers the same request again: consents, funds consents, authorisations."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0016"
down_revision: Final = "0015"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Know requests by tenant, kind and X-Request-ID."""
    op.create_table(
        "making_requests",
        sa.Column("tenant", sa.String(80), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("x_request_id", sa.String(36), primary_key=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(36), nullable=False),
    )


def downgrade() -> None:
    """Each request makes something new."""
    op.drop_table("making_requests")
