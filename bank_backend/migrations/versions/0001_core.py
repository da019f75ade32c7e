"""The first schema: tenants, PSUs, accounts, and the ledger, whose rows can't be changed or deleted."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

_APPEND_ONLY: Final = ("entries", "postings", "holds", "hold_ends")


def upgrade() -> None:
    """Make every table and the guards of the ledger."""
    _tenants_and_psus()
    _accounts()
    _ledger()
    _holds()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Drop every table, those that refer to others first."""
    for table in ("hold_ends", "holds", "postings", "entries", "account_holders", "accounts", "psus", "tenants"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _tenants_and_psus() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("name", sa.String(140), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("roles", sa.String(80), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("persona_password", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
    )
    op.create_table(
        "psus",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(70), nullable=False),
        sa.Column("email", sa.String(120), nullable=False),
        sa.Column("phone", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(160), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.Float),
        sa.PrimaryKeyConstraint("tenant", "login", name="pk_psus"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_psus_tenant"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("iban", sa.String(34)),
        sa.Column("bic", sa.String(11), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("name", sa.String(70), nullable=False),
        sa.Column("product", sa.String(35), nullable=False),
        sa.Column("owner_name", sa.String(140), nullable=False),
        sa.Column("cash_account_type", sa.String(4), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("usage", sa.String(4), nullable=False),
        sa.Column("overdraft_minor", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_accounts_tenant"),
        sa.UniqueConstraint("tenant", "iban", name="uq_accounts_tenant_iban"),
        sa.CheckConstraint("kind = 'settlement' OR (iban IS NOT NULL AND overdraft_minor >= 0)", name="ck_accounts_payment"),
    )
    op.create_table(
        "account_holders",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("psu", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "psu", "account_id", name="pk_account_holders"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_account_holders_account_id"),
        sa.ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"], name="fk_account_holders_tenant"),
    )


def _details() -> list[sa.Column[str]]:
    lengths = {
        "debtor_name": 140,
        "debtor_iban": 34,
        "creditor_name": 140,
        "creditor_iban": 34,
        "remittance": 140,
        "code": 16,
        "end_to_end_id": 35,
        "mandate_id": 35,
        "creditor_id": 35,
    }
    return [sa.Column(name, sa.String(length), nullable=False) for name, length in lengths.items()]


def _ledger() -> None:
    op.create_table(
        "entries",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        *_details(),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_entries_tenant"),
    )
    op.create_table(
        "postings",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("entry_id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("balance_minor", sa.BigInteger, nullable=False),
        sa.Column("booking_date", sa.Date, nullable=False),
        sa.Column("value_date", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "number", name="pk_postings"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_postings_account_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_postings_entry_id"),
    )
    op.create_index("ix_postings_account_id_booking_date", "postings", ["account_id", "booking_date", "number"])
    op.create_index("ix_postings_entry_id", "postings", ["entry_id"])


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("value_date", sa.Date, nullable=False),
        *_details(),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_holds_tenant"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_holds_account_id"),
    )
    op.create_index("ix_holds_account_id", "holds", ["account_id"])
    op.create_table(
        "hold_ends",
        sa.Column("hold_id", sa.String(36), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("entry_id", sa.String(36)),
        sa.PrimaryKeyConstraint("hold_id", name="pk_hold_ends"),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name="fk_hold_ends_hold_id"),
    )


def _guard_sqlite() -> None:
    for table in _APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: post a correcting entry'); END"
            )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is append-only: post a correcting entry', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
