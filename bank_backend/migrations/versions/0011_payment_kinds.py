"""Payments of every service and product, and what came of each of their transfers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"
branch_labels: Final = None
depends_on: Final = None

_TABLE: Final = "payments"
_COLUMNS: Final = (
    sa.Column("service", sa.String(20), nullable=False, server_default="payments"),
    sa.Column("product", sa.String(48), nullable=False, server_default="sepa-credit-transfers"),
    sa.Column("document", sa.Text),
    sa.Column("waits_for_funds", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("debtor", sa.String(36)),
)


def upgrade() -> None:
    """Add the columns and the table; payments that have been booked get their execution."""
    for column in _COLUMNS:
        op.add_column(_TABLE, column)
    op.create_index("ix_payments_debtor", _TABLE, ["tenant", "debtor", "service", "status"])
    op.create_table(
        "payment_executions",
        sa.Column("payment", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("transfer", sa.Integer, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("status", sa.String(4), nullable=False),
        sa.Column("reason_code", sa.String(4)),
        sa.Column("reason_text", sa.String(200)),
        sa.Column("entry", sa.String(36)),
        sa.Column("hold", sa.String(36)),
        sa.PrimaryKeyConstraint("payment", "number", name="pk_payment_executions"),
        sa.ForeignKeyConstraint(["payment"], ["payments.id"], name="fk_payment_executions_payment"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_payment_executions_tenant"),
    )
    _move_bookings()
    op.drop_column(_TABLE, "transaction")


def downgrade() -> None:
    """Keep of executions the first one's entry."""
    op.add_column(_TABLE, sa.Column("transaction", sa.String(36)))
    executions = sa.table("payment_executions", *map(sa.column, ("payment", "number", "entry")))
    payments = sa.table(_TABLE, sa.column("id"), sa.column("transaction"))
    first = sa.select(executions.c.entry).where(executions.c.payment == payments.c.id, executions.c.number == 0)
    op.execute(sa.update(payments).values(transaction=first.scalar_subquery()))
    op.drop_table("payment_executions")
    op.drop_index("ix_payments_debtor", _TABLE)
    for column in reversed(_COLUMNS):
        op.drop_column(_TABLE, column.name)


def _move_bookings() -> None:
    names = ("id", "tenant", "transaction", "status", "received_at")
    payments = sa.table(_TABLE, *map(sa.column, names))
    executions = sa.table(
        "payment_executions",
        *map(sa.column, ("payment", "number", "tenant", "transfer", "status", "entry")),
        sa.column("day", sa.Date),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(payments).where(payments.c.transaction.is_not(None))).all():
        booked = {
            "payment": row.id,
            "number": 0,
            "tenant": row.tenant,
            "transfer": 0,
            "day": datetime.fromtimestamp(row.received_at, UTC).date(),
            "status": row.status,
            "entry": row.transaction,
        }
        connection.execute(sa.insert(executions).values(booked))
