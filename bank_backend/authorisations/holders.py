"""Who holds which accounts, alone or together, and how many of the holders must agree; and who the TPP is that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import false, func, or_, select

from bank_backend.accounts.store import CUSTOMERS, account_holders, account_of_row, accounts
from bank_backend.tenants.store import tenant_of_row
from bank_backend.tenants.tables import tenants
from psd2.ids import PsuId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from bank_backend.accounts.model import Account
    from bank_backend.database import Connection
    from bank_backend.references import AccountReference
    from bank_backend.tenants.model import Tenant
    from psd2.ids import TenantId


class SqlHolderStore:
    """Holders in the bank's database, inside the caller's transaction."""

    def held_by(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Account]:
        """Return the accounts that a PSU holds, in its order."""
        held = account_holders.c
        statement = (
            select(accounts)
            .join(account_holders, held.account_id == accounts.c.id)
            .where(held.tenant == tenant, held.psu == psu, accounts.c.tenant == tenant, accounts.c.kind.in_(CUSTOMERS))
            .order_by(accounts.c.position, accounts.c.id)
        )
        return [account_of_row(row) for row in connection.execute(statement)]

    def tpp(self, connection: Connection, tenant: TenantId) -> Tenant:
        """Return the TPP that asks: the tenant is its own."""
        return tenant_of_row(connection.execute(select(tenants).where(tenants.c.id == tenant)).one())

    def co_holders(self, connection: Connection, tenant: TenantId, account_ids: Sequence[str]) -> list[PsuId]:
        """Return the PSUs that hold all of the accounts, in a stable order."""
        held = account_holders.c
        statement = (
            select(held.psu)
            .where(held.tenant == tenant, held.account_id.in_(account_ids))
            .group_by(held.psu)
            .having(func.count() == len(set(account_ids)))
            .order_by(held.psu)
        )
        return [PsuId(psu) for psu in connection.scalars(statement)]

    def signatures_for(self, connection: Connection, tenant: TenantId, references: Sequence[AccountReference]) -> int:
        """Return how many signatures the accounts that a TPP names need; 1 where none of them is known."""
        named = or_(*(_names(reference) for reference in references))
        statement = select(func.max(accounts.c.signatures_required)).where(accounts.c.tenant == tenant, named)
        return connection.scalar(statement) or 1


def _names(reference: AccountReference) -> ColumnElement[bool]:
    if not reference.iban:
        # A card is its holder's own.
        return false()
    is_named = accounts.c.iban == reference.iban
    return is_named if reference.currency is None else is_named & (accounts.c.currency == reference.currency)
