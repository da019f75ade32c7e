"""Card accounts, sub-accounts of one IBAN, what some movements tell beyond the usual, and account reports' own records."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None

_OLD_CHECK: Final = "kind = 'settlement' OR (iban IS NOT NULL AND overdraft_minor >= 0)"
_CUSTOMER_CHECK: Final = "kind NOT IN ('payment', 'card') OR overdraft_minor >= 0"
_PAYMENT_CHECK: Final = "kind <> 'payment' OR iban IS NOT NULL"
_CARD_CHECK: Final = (
    "kind <> 'card' OR (iban IS NULL AND pan IS NOT NULL AND settles_with IS NOT NULL AND billing_day BETWEEN 1 AND 28)"
)
_OLD_COLUMNS: Final = (
    "id, tenant, kind, position, iban, bic, currency, name, product, owner_name, cash_account_type, status, usage, "
    "overdraft_minor"
)


def upgrade() -> None:
    """Let accounts be cards' and share an IBAN; make room for what is reported of them."""
    if op.get_bind().dialect.name == "postgresql":
        _amend_accounts()
    else:
        _rebuild_accounts()
    for table in ("entries", "holds"):
        op.add_column(table, sa.Column("particulars", sa.JSON(none_as_null=True)))
    op.add_column("consents", sa.Column("combined", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("consents", sa.Column("authorised_at", sa.Float))
    _report_marks()
    _report_downloads()


def downgrade() -> None:
    """Take it back, on PostgreSQL; an IBAN that several accounts share by now stands in the way."""
    if op.get_bind().dialect.name != "postgresql":
        msg = "SQLite can't drop constraints: restore a copy of the database from before"
        raise NotImplementedError(msg)
    op.drop_table("report_downloads")
    op.drop_table("report_marks")
    op.drop_column("consents", "authorised_at")
    op.drop_column("consents", "combined")
    for table in ("holds", "entries"):
        op.drop_column(table, "particulars")
    for check in ("customer", "payment", "card"):
        op.drop_constraint(f"ck_accounts_{check}", "accounts", type_="check")
    op.drop_constraint("uq_accounts_tenant_pan", "accounts", type_="unique")
    op.drop_constraint("uq_accounts_tenant_iban_currency", "accounts", type_="unique")
    for column in ("pan", "billing_day", "settles_with", "display_name", "details"):
        op.drop_column("accounts", column)
    op.create_unique_constraint("uq_accounts_tenant_iban", "accounts", ["tenant", "iban"])
    op.create_check_constraint("ck_accounts_payment", "accounts", _OLD_CHECK)


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("pan", sa.String(19)),
        sa.Column("billing_day", sa.Integer),
        sa.Column("settles_with", sa.String(36)),
        sa.Column("display_name", sa.String(70), nullable=False, server_default=""),
        sa.Column("details", sa.String(500), nullable=False, server_default=""),
    ]


def _amend_accounts() -> None:
    for column in _new_columns():
        op.add_column("accounts", column)
    op.drop_constraint("uq_accounts_tenant_iban", "accounts", type_="unique")
    op.drop_constraint("ck_accounts_payment", "accounts", type_="check")
    op.create_unique_constraint("uq_accounts_tenant_iban_currency", "accounts", ["tenant", "iban", "currency"])
    op.create_unique_constraint("uq_accounts_tenant_pan", "accounts", ["tenant", "pan"])
    op.create_foreign_key("fk_accounts_settles_with", "accounts", "accounts", ["settles_with"], ["id"])
    op.create_check_constraint("ck_accounts_customer", "accounts", _CUSTOMER_CHECK)
    op.create_check_constraint("ck_accounts_payment", "accounts", _PAYMENT_CHECK)
    op.create_check_constraint("ck_accounts_card", "accounts", _CARD_CHECK)


def _rebuild_accounts() -> None:
    """Make the table anew: SQLite can't drop a constraint.

    Other tables refer to it. Their references are judged when the transaction ends; a table that takes another one's name
    would not count as their target again, so the rows wait in a copy while the table itself is made anew.
    """
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMPORARY TABLE accounts_before AS SELECT * FROM accounts")
    op.execute("DELETE FROM accounts")
    op.drop_table("accounts")
    _create_accounts()
    op.execute(f"INSERT INTO accounts ({_OLD_COLUMNS}) SELECT {_OLD_COLUMNS} FROM accounts_before")  # noqa: S608 - constants
    op.execute("DROP TABLE accounts_before")


def _create_accounts() -> None:
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
        *_new_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_accounts_tenant"),
        sa.ForeignKeyConstraint(["settles_with"], ["accounts.id"], name="fk_accounts_settles_with"),
        sa.UniqueConstraint("tenant", "iban", "currency", name="uq_accounts_tenant_iban_currency"),
        sa.UniqueConstraint("tenant", "pan", name="uq_accounts_tenant_pan"),
        sa.CheckConstraint(_CUSTOMER_CHECK, name="ck_accounts_customer"),
        sa.CheckConstraint(_PAYMENT_CHECK, name="ck_accounts_payment"),
        sa.CheckConstraint(_CARD_CHECK, name="ck_accounts_card"),
    )


def _report_marks() -> None:
    op.create_table(
        "report_marks",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("psu", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "psu", "account_id", name="pk_report_marks"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_report_marks_account_id"),
    )


def _report_downloads() -> None:
    op.create_table(
        "report_downloads",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("consent", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("booking_status", sa.String(16), nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("until", sa.Date, nullable=False),
        sa.Column("after_number", sa.Integer, nullable=False),
        sa.Column("newest_number", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("fetched", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report_downloads"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_report_downloads_tenant"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_report_downloads_account_id"),
    )
