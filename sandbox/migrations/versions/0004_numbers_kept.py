"""Numbers of TPPs that have left, forms that were sent to have a certificate issued, certificates by number."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables and the index."""
    op.create_table(
        "former_tpps",
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=True),
        sa.Column("access_token_sha256", sa.Text(), nullable=True),
        sa.Column("left_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_number", name="pk_former_tpps"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_former_tpps_organisation_id"),
    )
    op.create_index("ix_former_tpps_organisation_id", "former_tpps", ["organisation_id"])
    op.create_table(
        "issuing_orders",
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_number", "form", name="pk_issuing_orders"),
    )
    op.create_index("ix_issuing_orders_at", "issuing_orders", ["at"])
    op.create_index("ix_certificates_authorisation_number_issued_at", "certificates", ["authorisation_number", "issued_at"])


def downgrade() -> None:
    """Drop them; the numbers are free for anybody again."""
    op.drop_index("ix_certificates_authorisation_number_issued_at", "certificates")
    op.drop_table("issuing_orders")
    op.drop_table("former_tpps")
