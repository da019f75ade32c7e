"""Developers of the portal, their organisations, sessions, invitations and attempts; whose a TPP is."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Make the tables, and give each TPP room for its organisation."""
    op.create_table(
        "organisations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
    )
    _developers()
    _portal_sessions()
    _invitations()
    op.create_table(
        "attempts",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_attempts"),
    )
    op.create_index("ix_attempts_window_ends_at", "attempts", ["window_ends_at"])
    # In words of SQL: alembic's own add_column can't carry a foreign key on SQLite.
    reference = "CONSTRAINT fk_tpps_organisation_id REFERENCES organisations (id)"
    op.execute(f"ALTER TABLE tpps ADD COLUMN organisation_id TEXT {reference}")
    op.create_index("ix_tpps_organisation_id", "tpps", ["organisation_id"])


def downgrade() -> None:
    """Drop the tables; TPPs are nobody's again."""
    op.drop_index("ix_tpps_organisation_id", "tpps")
    with op.batch_alter_table("tpps") as batch:
        batch.drop_constraint("fk_tpps_organisation_id", type_="foreignkey")
        batch.drop_column("organisation_id")
    for table in ("attempts", "invitations", "portal_sessions", "developers", "organisations"):
        op.drop_table(table)


def _developers() -> None:
    op.create_table(
        "developers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_developers"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_developers_organisation_id"),
    )
    op.create_index("ix_developers_email_key", "developers", ["email_key"], unique=True)
    op.create_index("ix_developers_organisation_id", "developers", ["organisation_id"])


def _portal_sessions() -> None:
    op.create_table(
        "portal_sessions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("developer_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("last_seen_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_portal_sessions"),
        sa.ForeignKeyConstraint(["developer_id"], ["developers.id"], name="fk_portal_sessions_developer_id"),
    )
    op.create_index("ix_portal_sessions_developer_id", "portal_sessions", ["developer_id"])
    op.create_index("ix_portal_sessions_expires_at", "portal_sessions", ["expires_at"])


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_invitations"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_invitations_organisation_id"),
        sa.ForeignKeyConstraint(["invited_by"], ["developers.id"], name="fk_invitations_invited_by"),
    )
    op.create_index("ix_invitations_organisation_id", "invitations", ["organisation_id"])
    op.create_index("ix_invitations_expires_at", "invitations", ["expires_at"])
