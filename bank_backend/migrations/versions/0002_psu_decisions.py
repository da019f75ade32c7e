"""What PSUs decide on, and how: consents, payments, funds consents, authorisations, interactions, codes, inboxes."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables, those referred to first."""
    _consents()
    _payments()
    _funds_consents()
    _authorisations()
    _interactions()
    _challenges()
    _inbox()


def downgrade() -> None:
    """Drop the tables, those that refer to others first."""
    for table in (
        "inbox_messages",
        "challenges",
        "interactions",
        "authorisations",
        "funds_consents",
        "payments",
        "consent_uses",
        "consents",
    ):
        op.drop_table(table)


def _tenant(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    column = sa.Column("tenant", sa.String(80), nullable=False)
    return column, sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=f"fk_{table}_tenant")


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.String(36), nullable=False),
        *_tenant("consents"),
        sa.Column("access", sa.JSON, nullable=False),
        sa.Column("recurring", sa.Boolean, nullable=False),
        sa.Column("valid_until", sa.Date, nullable=False),
        sa.Column("frequency_per_day", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("psu", sa.String(64)),
        sa.Column("rights", sa.JSON(none_as_null=True)),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("last_action", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_psu", "consents", ["tenant", "psu", "status"])
    op.create_table(
        "consent_uses",
        sa.Column("consent", sa.String(36), nullable=False),
        sa.Column("reading", sa.String(120), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("consent", "reading", "day", name="pk_consent_uses"),
        sa.ForeignKeyConstraint(["consent"], ["consents.id"], name="fk_consent_uses_consent"),
    )


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.String(36), nullable=False),
        *_tenant("payments"),
        sa.Column("x_request_id", sa.String(36), nullable=False),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("instruction", sa.JSON, nullable=False),
        sa.Column("status", sa.String(4), nullable=False),
        sa.Column("reason_code", sa.String(4)),
        sa.Column("reason_text", sa.String(200)),
        sa.Column("psu", sa.String(64)),
        sa.Column("transaction", sa.String(36)),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.UniqueConstraint("tenant", "x_request_id", name="uq_payments_tenant_x_request_id"),
    )


def _funds_consents() -> None:
    op.create_table(
        "funds_consents",
        sa.Column("id", sa.String(36), nullable=False),
        *_tenant("funds_consents"),
        sa.Column("iban", sa.String(34), nullable=False),
        sa.Column("currency", sa.String(3)),
        sa.Column("card_number", sa.String(35), nullable=False),
        sa.Column("card_expiry", sa.Date),
        sa.Column("card_information", sa.String(140), nullable=False),
        sa.Column("registration_information", sa.String(140), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("psu", sa.String(64)),
        sa.Column("account_id", sa.String(36)),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_funds_consents"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_funds_consents_account_id"),
    )


def _authorisations() -> None:
    op.create_table(
        "authorisations",
        sa.Column("id", sa.String(36), nullable=False),
        *_tenant("authorisations"),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("resource", sa.String(36), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("psu", sa.String(64)),
        sa.Column("headless", sa.Boolean, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorisations"),
    )
    op.create_index("ix_authorisations_resource", "authorisations", ["tenant", "kind", "resource", "started_at"])


def _interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column("id", sa.String(36), nullable=False),
        *_tenant("interactions"),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("resource", sa.String(36), nullable=False),
        sa.Column("authorisation", sa.String(36), nullable=False),
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("client_name", sa.String(140), nullable=False),
        sa.Column("return_url", sa.String(2000), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("step", sa.String(12), nullable=False),
        sa.Column("login_failures", sa.Integer, nullable=False),
        sa.Column("psu", sa.String(64)),
        sa.Column("session", sa.String(64)),
        sa.Column("accounts", sa.JSON(none_as_null=True)),
        sa.Column("headless", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("decided_at", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_interactions"),
        sa.ForeignKeyConstraint(["authorisation"], ["authorisations.id"], name="fk_interactions_authorisation"),
    )
    op.create_index("ix_interactions_resource", "interactions", ["tenant", "kind", "resource", "status"])


def _challenges() -> None:
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


def _inbox() -> None:
    op.create_table(
        "inbox_messages",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        *_tenant("inbox_messages"),
        sa.Column("psu", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("text", sa.String(4000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox_messages"),
    )
    op.create_index("ix_inbox_messages_psu", "inbox_messages", ["tenant", "psu", "at"])
