"""The self-signed certificates that clients authenticate by (RFC 8705 §2.2)."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0018"
down_revision: Final = "0017"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the table; clients that registered such certificates before are taken once they register them again."""
    op.create_table(
        "client_certificates",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "client_id", name="pk_client_certificates"),
    )
    op.create_index("ix_client_certificates_client_id", "client_certificates", ["client_id"])


def downgrade() -> None:
    """Drop it: nobody is let in by such a certificate any more."""
    op.drop_table("client_certificates")
