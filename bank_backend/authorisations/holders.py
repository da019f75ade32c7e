"""Who holds accounts together, and how many of them must agree: read from the tables of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import false, func, or_, select

from bank_backend.accounts.store import account_holders, accounts
from psd2.ids import PsuId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from bank_backend.database import Connection
    from bank_backend.references import AccountReference
    from psd2.ids import TenantId


class SqlHolderStore:
    """Holders in the bank's database, inside the caller's transaction."""

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
