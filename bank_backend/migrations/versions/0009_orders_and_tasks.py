"""What entries execute and at which rate, limits of accounts, and the schedule."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the columns and make the table."""
    for column in _entry_columns():
        op.add_column("entries", column)
    # Nothing is executed twice: the database itself sees to it.
    op.create_index("ix_entries_origin", "entries", ["tenant", "origin"], unique=True)
    op.add_column("accounts", sa.Column("transfer_limit_minor", sa.BigInteger))
    op.add_column("accounts", sa.Column("daily_limit_minor", sa.BigInteger))
    _schedule()


def downgrade() -> None:
    """Take it back."""
    op.drop_table("scheduled_tasks")
    op.drop_column("accounts", "daily_limit_minor")
    op.drop_column("accounts", "transfer_limit_minor")
    op.drop_index("ix_entries_origin", "entries")
    for column in _entry_columns():
        op.drop_column("entries", column.name)


def _entry_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("origin", sa.String(80)),
        sa.Column("charge_of", sa.String(36)),
        sa.Column("source_currency", sa.String(3)),
        sa.Column("target_currency", sa.String(3)),
        sa.Column("exchange_rate_e8", sa.BigInteger),
        sa.Column("quotation_date", sa.Date),
        sa.Column("contract", sa.String(35)),
    ]


def _schedule() -> None:
    op.create_table(
        "scheduled_tasks",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.Float, nullable=False),
        sa.Column("error", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "resource", "due_at", name="pk_scheduled_tasks"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_scheduled_tasks_tenant"),
    )
    op.create_index("ix_scheduled_tasks_due", "scheduled_tasks", ["tenant", "due_at", "retry_at"])
