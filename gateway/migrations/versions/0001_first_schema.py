"""The first schema: register, trust, tokens, and the change feed."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make every table."""
    _change_feed()
    _register()
    _trust()
    _tokens()
    _authorization_requests()
    _authorization_codes()


def downgrade() -> None:
    """Drop every table, those that refer to others first."""
    for table in (
        "authorization_codes",
        "authorization_requests",
        "refresh_tokens",
        "access_tokens",
        "blocked_certificates",
        "crls",
        "trust_certificates",
        "clients",
        "tpps",
        "changes",
    ):
        op.drop_table(table)


def _change_feed() -> None:
    op.create_table(
        "changes",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_at", "changes", ["at"])


def _register() -> None:
    op.create_table(
        "tpps",
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("nca_id", sa.Text(), nullable=False),
        sa.Column("nca_name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_number", name="pk_tpps"),
    )
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("redirect_uris", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("token_endpoint_auth_method", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
        sa.ForeignKeyConstraint(
            ["authorisation_number"],
            ["tpps.authorisation_number"],
            name="fk_clients_authorisation_number",
        ),
    )
    op.create_index("ix_clients_authorisation_number", "clients", ["authorisation_number"])


def _trust() -> None:
    op.create_table(
        "trust_certificates",
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store", "sha256", name="pk_trust_certificates"),
    )
    op.create_table(
        "crls",
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("this_update", sa.Double(), nullable=False),
        sa.Column("next_update", sa.Double(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("store", "issuer", name="pk_crls"),
    )
    op.create_table(
        "blocked_certificates",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blocked_certificates"),
    )


def _tokens() -> None:
    for table, own_columns in (
        ("access_tokens", [sa.Column("thumbprint", sa.Text(), nullable=False)]),
        ("refresh_tokens", []),
    ):
        op.create_table(
            table,
            sa.Column("sha256", sa.Text(), nullable=False),
            sa.Column("client_id", sa.Text(), nullable=False),
            sa.Column("authorisation_number", sa.Text(), nullable=False),
            sa.Column("scope", sa.Text(), nullable=False),
            sa.Column("subject", sa.Text()),
            *own_columns,
            sa.Column("grant_id", sa.Text(), nullable=False),
            sa.Column("issued_at", sa.Double(), nullable=False),
            sa.Column("expires_at", sa.Double(), nullable=False),
            sa.Column("revoked_at", sa.Double()),
            sa.PrimaryKeyConstraint("sha256", name=f"pk_{table}"),
        )
        for column in ("grant_id", "client_id", "expires_at"):
            op.create_index(f"ix_{table}_{column}", table, [column])


def _authorization_requests() -> None:
    op.create_table(
        "authorization_requests",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("browser_sha256", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.Text()),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("interaction_url", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_authorization_requests"),
    )
    op.create_index("ix_authorization_requests_expires_at", "authorization_requests", ["expires_at"])


def _authorization_codes() -> None:
    op.create_table(
        "authorization_codes",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("authorisation_number", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("claimed_at", sa.Double()),
        sa.PrimaryKeyConstraint("sha256", name="pk_authorization_codes"),
    )
    op.create_index(
        "ix_authorization_codes_request_sha256",
        "authorization_codes",
        ["request_sha256"],
        unique=True,
    )
    for column in ("client_id", "expires_at"):
        op.create_index(f"ix_authorization_codes_{column}", "authorization_codes", [column])
