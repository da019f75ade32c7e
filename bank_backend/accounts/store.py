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
    select,
)

from bank_backend.accounts.model import Account, AccountStatus, AccountUsage
from bank_backend.database import METADATA
from psd2.ids import AccountId, TenantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from bank_backend.database import Database
    from psd2.ids import PsuId

# `kind` tells customers' payment accounts from the bank's own settlement accounts, which nobody holds and nothing lists.
PAYMENT, SETTLEMENT = "payment", "settlement"

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
    UniqueConstraint("tenant", "iban"),
    CheckConstraint("kind = 'settlement' OR (iban IS NOT NULL AND overdraft_minor >= 0)", name="payment"),
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
_OF_TENANT: Final = select(accounts).where(accounts.c.tenant == bindparam("tenant"), accounts.c.kind == PAYMENT)
_BY_ID: Final = _OF_TENANT.where(accounts.c.id == bindparam("id"))
_BY_IDS: Final = _OF_TENANT.where(accounts.c.id.in_(bindparam("ids", expanding=True)))
_HELD_BY: Final = (
    _OF_TENANT.join(account_holders, account_holders.c.account_id == accounts.c.id)
    .where(account_holders.c.tenant == bindparam("tenant"), account_holders.c.psu == bindparam("psu"))
    .order_by(accounts.c.position, accounts.c.id)
)


class SqlAccountStore:
    """Accounts in the bank's database."""

    def __init__(self, database: Database) -> None:
        """Read `database`."""
        self._database = database

    def held_by(self, tenant: TenantId, psu: PsuId) -> list[Account]:
        """Return the accounts this PSU holds, in a stable order."""
        return self._all(_HELD_BY, {"tenant": tenant, "psu": psu})

    def by_id(self, tenant: TenantId, account_id: str) -> Account | None:
        """Return one account, or None."""
        return next(iter(self._all(_BY_ID, {"tenant": tenant, "id": account_id})), None)

    def by_ids(self, tenant: TenantId, account_ids: Sequence[str]) -> list[Account]:
        """Return those of the accounts that exist."""
        return self._all(_BY_IDS, {"tenant": tenant, "ids": account_ids})

    def _all(self, statement: Select[tuple[object, ...]], values: dict[str, object]) -> list[Account]:
        with self._database.reading() as connection:
            return [account_of_row(row) for row in connection.execute(statement, values).all()]


def account_of_row(row: Row[tuple[object, ...]]) -> Account:
    """Return the account that a row of `accounts` holds."""
    return Account(
        id=AccountId(row.id),
        tenant=TenantId(row.tenant),
        iban=row.iban,
        bic=row.bic,
        currency=row.currency,
        name=row.name,
        product=row.product,
        owner_name=row.owner_name,
        cash_account_type=row.cash_account_type,
        status=AccountStatus(row.status),
        usage=AccountUsage(row.usage),
        overdraft_minor=row.overdraft_minor,
    )
