"""The configuration's documents with their versions, and the chained audit of what administrators do."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables."""
    for table, key in (("documents", ("kind", "name")), ("document_versions", ("kind", "name", "number"))):
        op.create_table(
            table,
            sa.Column("kind", sa.Text(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("number", sa.Integer(), nullable=False),
            sa.Column("body", sa.Text(), nullable=False),
            sa.Column("origin", sa.Text(), nullable=False),
            sa.Column("actor", sa.Text(), nullable=False),
            sa.Column("at", sa.Double(), nullable=False),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
        )
    op.create_table(
        "admin_audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column("difference", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_admin_audit"),
    )
    op.create_index("ix_admin_audit_object_kind_object_name", "admin_audit", ["object_kind", "object_name"])


def downgrade() -> None:
    """Drop them."""
    for table in ("admin_audit", "document_versions", "documents"):
        op.drop_table(table)
