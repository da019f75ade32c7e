"""CRLs with their serial numbers laid out for the edge, so that no worker reads DER when a list changes."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from cryptography import x509

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table anew, and lay out what it holds."""
    rows = [dict(row) for row in op.get_bind().execute(sa.text("SELECT * FROM crls")).mappings()]
    op.drop_table("crls")
    table = op.create_table(
        "crls",
        *_columns(),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("serial_width", sa.Integer(), nullable=False),
        sa.Column("serials", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("store", "issuer", name="pk_crls"),
    )
    if rows:
        op.bulk_insert(table, [row | _laid_out(row) for row in rows])


def downgrade() -> None:
    """Make the table as it was."""
    names = "store, issuer, number, this_update, next_update, der"
    rows = [dict(row) for row in op.get_bind().execute(sa.text(f"SELECT {names} FROM crls")).mappings()]  # noqa: S608 - fixed names
    op.drop_table("crls")
    table = op.create_table("crls", *_columns(), sa.PrimaryKeyConstraint("store", "issuer", name="pk_crls"))
    if rows:
        op.bulk_insert(table, rows)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("this_update", sa.Double(), nullable=False),
        sa.Column("next_update", sa.Double(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
    ]


def _laid_out(row: dict[str, Any]) -> dict[str, Any]:
    # The layout of that day, written out here: what the program does later must not change what this does.
    numbers = {entry.serial_number for entry in x509.load_der_x509_crl(row["der"])}
    width = max((number.bit_length() // 8 + 1 for number in numbers), default=1)
    ordered = sorted(number.to_bytes(width, "big", signed=True) for number in numbers)
    return {
        "sha256": hashlib.sha256(row["der"]).hexdigest(),
        "serial_width": width,
        "serials": b"".join(ordered),
        "source": "pushed",
        "taken_at": row["this_update"],
    }
