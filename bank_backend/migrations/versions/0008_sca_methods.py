"""SCA methods of the PSUs, challenges by any of them, and the bank app's sessions."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None

_USUAL: Final = (("sms", "Text message"), ("push", "Bank app"))


def upgrade() -> None:
    """Make the tables; codes that are on their way are forgotten, who banks here already has the usual methods."""
    op.drop_table("challenges")
    op.create_table(
        "sca_challenges",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("authorisation", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("psu", sa.String(64), nullable=False),
        sa.Column("method", sa.String(36), nullable=False),
        sa.Column("type", sa.String(12), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("instruction", sa.String(200), nullable=False),
        sa.Column("number", sa.String(2), nullable=False),
        sa.Column("statement_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32)),
        sa.Column("attempts_left", sa.Integer, nullable=False),
        sa.Column("sent_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sca_challenges"),
        sa.ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"], name="fk_sca_challenges_tenant_psu"),
    )
    op.create_index("ix_sca_challenges_authorisation", "sca_challenges", ["authorisation", "sent_at"])
    op.create_index("ix_sca_challenges_psu", "sca_challenges", ["tenant", "psu", "status"])
    _create_methods()
    op.create_table(
        "bank_app_sessions",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("psu", sa.String(64), nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("active_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_bank_app_sessions"),
        sa.ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"], name="fk_bank_app_sessions_tenant_psu"),
    )
    op.create_index("ix_bank_app_sessions_active_at", "bank_app_sessions", ["active_at"])


def _create_methods() -> None:
    methods = op.create_table(
        "psu_sca_methods",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("psu", sa.String(64), nullable=False),
        sa.Column("type", sa.String(12), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("published_secret", sa.String(64)),
        sa.Column("sealed_secret", sa.LargeBinary(128)),
        sa.Column("last_step", sa.BigInteger),
        sa.Column("credential", sa.LargeBinary(2048)),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("challenge", sa.LargeBinary(32)),
        sa.Column("is_enrolled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_psu_sca_methods"),
        sa.ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"], name="fk_psu_sca_methods_tenant_psu"),
    )
    op.create_index("ix_psu_sca_methods_psu", "psu_sca_methods", ["tenant", "psu", "position"])
    psus = op.get_bind().execute(sa.text("SELECT tenant, login FROM psus")).all()
    rows = [
        {"id": str(uuid4()), "tenant": tenant, "psu": login, "type": kind, "label": label, "position": position}
        | {"sign_count": 0, "is_enrolled": True}
        for tenant, login in psus
        for position, (kind, label) in enumerate(_USUAL)
    ]
    if rows:
        op.bulk_insert(methods, rows)


def downgrade() -> None:
    """Drop them, and make the table of codes anew."""
    op.drop_table("bank_app_sessions")
    op.drop_table("psu_sca_methods")
    op.drop_table("sca_challenges")
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("interaction", sa.String(36), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("attempts_left", sa.Integer, nullable=False),
        sa.Column("sent_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_challenges"),
        sa.ForeignKeyConstraint(["interaction"], ["interactions.id"], name="fk_challenges_interaction"),
    )
    op.create_index("ix_challenges_interaction", "challenges", ["interaction", "sent_at"])
