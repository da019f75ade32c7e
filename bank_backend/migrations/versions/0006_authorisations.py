"""Every SCA approach, signing by several PSUs, and signing baskets.

The kinds of what can be authorised get longer names; SQLite can't widen a column, so that both engines get a new one.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None

_INDEXES: Final = {
    "authorisations": ["tenant", "kind", "resource", "started_at"],
    "interactions": ["tenant", "kind", "resource", "status"],
}


def upgrade() -> None:
    """Widen the kinds, add the columns, make the tables."""
    for table, index in _INDEXES.items():
        _resize_kind(table, index, length=20)
    op.add_column("accounts", sa.Column("signatures_required", sa.Integer, nullable=False, server_default="1"))
    _authorisations()
    op.add_column("interactions", sa.Column("nok_return_url", sa.String(2000)))
    _openings()
    _baskets()


def downgrade() -> None:
    """Take it back; kinds that don't fit any longer stand in the way on PostgreSQL."""
    for table in ("signing_basket_members", "signing_baskets", "authorisation_openings"):
        op.drop_table(table)
    op.drop_column("interactions", "nok_return_url")
    op.drop_index("ix_authorisations_psu", "authorisations")
    for column in ("approach", "method", "return_url", "nok_return_url", "failures", "accounts", "confirmation_code"):
        op.drop_column("authorisations", column)
    op.drop_column("accounts", "signatures_required")
    for table, index in _INDEXES.items():
        _resize_kind(table, index, length=8)


def _resize_kind(table: str, index: list[str], *, length: int) -> None:
    op.drop_index(f"ix_{table}_resource", table)
    op.add_column(table, sa.Column("resized", sa.String(length), nullable=False, server_default=""))
    op.execute(f"UPDATE {table} SET resized = kind")  # noqa: S608 - constants
    op.drop_column(table, "kind")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN resized TO kind")
    op.create_index(f"ix_{table}_resource", table, index)


def _authorisations() -> None:
    op.add_column("authorisations", sa.Column("approach", sa.String(12), nullable=False, server_default="oauth"))
    op.add_column("authorisations", sa.Column("method", sa.String(36)))
    op.add_column("authorisations", sa.Column("return_url", sa.String(2000)))
    op.add_column("authorisations", sa.Column("nok_return_url", sa.String(2000)))
    op.add_column("authorisations", sa.Column("failures", sa.Integer, nullable=False, server_default="0"))
    op.add_column("authorisations", sa.Column("accounts", sa.JSON(none_as_null=True)))
    op.add_column("authorisations", sa.Column("confirmation_code", sa.String(64)))
    op.create_index("ix_authorisations_psu", "authorisations", ["tenant", "psu", "status"])


def _openings() -> None:
    op.create_table(
        "authorisation_openings",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("resource", sa.String(36), nullable=False),
        sa.Column("psu", sa.String(64)),
        sa.Column("redirect_preferred", sa.Boolean),
        sa.Column("decoupled_preferred", sa.Boolean),
        sa.Column("return_url", sa.String(2000)),
        sa.Column("nok_return_url", sa.String(2000)),
        sa.PrimaryKeyConstraint("tenant", "resource", name="pk_authorisation_openings"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_authorisation_openings_tenant"),
    )


def _baskets() -> None:
    op.create_table(
        "signing_baskets",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("x_request_id", sa.String(36), nullable=False),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("status", sa.String(4), nullable=False),
        sa.Column("psu", sa.String(64)),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signing_baskets"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_signing_baskets_tenant"),
        sa.UniqueConstraint("tenant", "x_request_id", name="uq_signing_baskets_tenant_x_request_id"),
    )
    op.create_table(
        "signing_basket_members",
        sa.Column("basket", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("resource", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("basket", "position", name="pk_signing_basket_members"),
        sa.ForeignKeyConstraint(["basket"], ["signing_baskets.id"], name="fk_signing_basket_members_basket"),
    )
    op.create_index("ix_signing_basket_members_resource", "signing_basket_members", ["resource"])
