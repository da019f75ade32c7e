"""Lean push: who wants to be told of which resource, and the notifications on their way."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "notification_watches",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("resource", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("uri", sa.String(2000), nullable=False),
        sa.Column("content", sa.String(40), nullable=False),
        sa.Column("refusal", sa.String(400)),
        sa.PrimaryKeyConstraint("tenant", "resource", name="pk_notification_watches"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_notification_watches_tenant"),
    )
    op.create_table(
        "notifications",
        sa.Column("number", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("resource", sa.String(36), nullable=False),
        sa.Column("uri", sa.String(2000), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("leased_until", sa.Float, nullable=False),
        sa.Column("outcome", sa.String(400)),
        sa.PrimaryKeyConstraint("number", name="pk_notifications"),
        sa.UniqueConstraint("request_id", name="uq_notifications_request_id"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_notifications_tenant"),
    )
    op.create_index("ix_notifications_due", "notifications", ["state", "next_at"])
    op.create_index("ix_notifications_resource", "notifications", ["tenant", "resource", "state", "number"])
    op.create_index("ix_notifications_tenant", "notifications", ["tenant", "state", "number"])
