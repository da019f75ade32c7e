"""The certificate authority's records: certificates and CRLs."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make both tables."""
    _certificates()
    op.create_table(
        "crls",
        sa.Column("ca", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("issuer_key_sha256", sa.Text(), nullable=False),
        sa.Column("this_update", sa.Double(), nullable=False),
        sa.Column("next_update", sa.Double(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ca", name="pk_crls"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("crls")
    op.drop_table("certificates")


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("ca", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("tpp", sa.Text(), nullable=True),
        sa.Column("authorisation_number", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("key_sha256", sa.Text(), nullable=False),
        sa.Column("not_before", sa.Double(), nullable=False),
        sa.Column("not_after", sa.Double(), nullable=False),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_certificates"),
    )
    op.create_index("ix_certificates_sha256", "certificates", ["sha256"], unique=True)
    op.create_index("ix_certificates_key_sha256", "certificates", ["key_sha256"])
    op.create_index("ix_certificates_tpp_issued_at", "certificates", ["tpp", "issued_at"])
    op.create_index("ix_certificates_ca_status", "certificates", ["ca", "status"])
