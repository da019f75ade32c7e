"""Audit records in the database, and how far each file has been shipped."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None

_PLACE: Final = ["ts", "request_id", "number"]


def upgrade() -> None:
    """Make the tables."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "audit_records",
        sa.Column("number", row_id, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ts", ordered, nullable=False),
        sa.Column("request_id", ordered, nullable=False),
        sa.Column("tpp", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("seal", sa.Text(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_records"),
        sa.UniqueConstraint("key", name="uq_audit_records_key"),
        sqlite_autoincrement=True,
    )
    for leading in ([], ["tpp"], ["reason"], ["certificate"], ["seal"]):
        columns = leading + _PLACE
        op.create_index(f"ix_audit_records_{'_'.join(columns)}", "audit_records", columns)
    op.create_table(
        "audit_places",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("file", name="pk_audit_places"),
    )


def downgrade() -> None:
    """Drop them; the audit files stay."""
    op.drop_table("audit_places")
    op.drop_table("audit_records")
