"""The tables of accounts and of who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Row,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    or_,
    select,
)

from bank_backend.accounts.model import Account, AccountKind, AccountStatus, AccountUsage
from bank_backend.database import METADATA
from chassis.sql.statements import Query
from psd2.ids import AccountId, TenantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection
    from psd2.ids import PsuId

# `kind` tells customers' accounts from the bank's own, such as its settlement accounts, which nobody holds and nothing lists.
PAYMENT, CARD, SETTLEMENT = AccountKind.PAYMENT.value, AccountKind.CARD.value, "settlement"
CUSTOMERS: Final = (PAYMENT, CARD)

accounts = Table(
    "accounts",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("position", Integer, nullable=False, default=0),
    Column("iban", String(34)),
    Column("bic", String(11), nullable=False, default=""),
    Column("currency", String(3), nullable=False),
    Column("name", String(70), nullable=False),
    Column("product", String(35), nullable=False, default=""),
    Column("owner_name", String(140), nullable=False, default=""),
    Column("cash_account_type", String(4), nullable=False, default="CACC"),
    Column("status", String(16), nullable=False, default=AccountStatus.ENABLED.value),
    Column("usage", String(4), nullable=False, default=AccountUsage.PRIVATE.value),
    # NULL: no limit at all, which only a settlement account may have.
    Column("overdraft_minor", BigInteger),
    # What may be sent at once, and on one day; NULL: any amount.
    Column("transfer_limit_minor", BigInteger),
    Column("daily_limit_minor", BigInteger),
    Column("pan", String(19)),
    Column("billing_day", Integer),
    Column("settles_with", String(36), ForeignKey("accounts.id")),
    Column("display_name", String(70), nullable=False, server_default=""),
    Column("details", String(500), nullable=False, server_default=""),
    # How many holders must agree before anything is done with it.
    Column("signatures_required", Integer, nullable=False, server_default="1"),
    # The sub-accounts of a multi-currency account share its IBAN.
    UniqueConstraint("tenant", "iban", "currency"),
    UniqueConstraint("tenant", "pan"),
    CheckConstraint("kind NOT IN ('payment', 'card') OR overdraft_minor >= 0", name="customer"),
    CheckConstraint("kind <> 'payment' OR iban IS NOT NULL", name="payment"),
    CheckConstraint(
        "kind <> 'card' OR (iban IS NULL AND pan IS NOT NULL AND settles_with IS NOT NULL AND billing_day BETWEEN 1 AND 28)",
        name="card",
    ),
)

account_holders = Table(
    "account_holders",
    METADATA,
    Column("tenant", String(80), primary_key=True),
    Column("psu", String(64), primary_key=True),
    Column("account_id", String(36), ForeignKey("accounts.id"), primary_key=True),
    ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"]),
)


# Built once: every reading of account data asks one of these. None of them can be asked without a tenant.
_IS_CUSTOMERS: Final = or_(*(accounts.c.kind == kind for kind in CUSTOMERS))
_OF_TENANT: Final = select(accounts).where(accounts.c.tenant == bindparam("tenant"), _IS_CUSTOMERS)
_BY_IDS: Final = _OF_TENANT.where(accounts.c.id.in_(bindparam("ids", expanding=True)))
_BY_ID: Final = Query(_OF_TENANT.where(accounts.c.id == bindparam("id")))
_BY_IBAN: Final = Query(_OF_TENANT.where(accounts.c.iban == bindparam("iban")).order_by(accounts.c.position, accounts.c.id))
_HELD_BY: Final = Query(
    _OF_TENANT.join(account_holders, account_holders.c.account_id == accounts.c.id)
    .where(account_holders.c.tenant == bindparam("tenant"), account_holders.c.psu == bindparam("psu"))
    .order_by(accounts.c.position, accounts.c.id)
)


class SqlAccountStore:
    """Accounts in the bank's database, inside the caller's transaction."""

    def held_by(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Account]:
        """Return the accounts this PSU holds, in a stable order."""
        return [account_of_row(row) for row in _HELD_BY.all(connection, tenant=tenant, psu=psu)]

    def by_ids(self, connection: Connection, tenant: TenantId, account_ids: Sequence[str]) -> list[Account]:
        """Return those of the accounts that exist."""
        if len(account_ids) == 1:
            # The usual question, and a list of a statement's values has to be written into it each time.
            return [account_of_row(row) for row in _BY_ID.all(connection, tenant=tenant, id=account_ids[0])]
        return [account_of_row(row) for row in connection.execute(_BY_IDS, {"tenant": tenant, "ids": account_ids})]

    def by_iban(self, connection: Connection, tenant: TenantId, iban: str) -> list[Account]:
        """Return the accounts of this IBAN, in a stable order."""
        return [account_of_row(row) for row in _BY_IBAN.all(connection, tenant=tenant, iban=iban)]


def account_of_row(row: Row[tuple[object, ...]]) -> Account:
    """Return the account that a row of `accounts` holds."""
    return Account(
        id=AccountId(row.id),
        tenant=TenantId(row.tenant),
        iban=row.iban or "",
        bic=row.bic,
        currency=row.currency,
        name=row.name,
        product=row.product,
        owner_name=row.owner_name,
        cash_account_type=row.cash_account_type,
        status=AccountStatus(row.status),
        usage=AccountUsage(row.usage),
        overdraft_minor=row.overdraft_minor,
        kind=AccountKind(row.kind),
        display_name=row.display_name,
        details=row.details,
        pan=row.pan or "",
        billing_day=row.billing_day,
        settles_with=None if row.settles_with is None else AccountId(row.settles_with),
        signatures_required=row.signatures_required,
    )


def row_of_account(account: Account, *, position: int) -> dict[str, object]:
    """Return the row of `accounts` for an account; `position` is its place in its holder's list."""
    return {
        "id": account.id,
        "tenant": account.tenant,
        "kind": account.kind.value,
        "position": position,
        "iban": account.iban or None,
        "bic": account.bic,
        "currency": account.currency,
        "name": account.name,
        "product": account.product,
        "owner_name": account.owner_name,
        "cash_account_type": account.cash_account_type,
        "status": account.status.value,
        "usage": account.usage.value,
        "overdraft_minor": account.overdraft_minor,
        "display_name": account.display_name,
        "details": account.details,
        "pan": account.pan or None,
        "billing_day": account.billing_day,
        "settles_with": account.settles_with,
        "signatures_required": account.signatures_required,
    }
