"""What the owner of a tenant may see of its test data, without any consent: it is nobody's money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from bank_backend.errors import FieldsInvalid, ResourceUnknown
from bank_backend.ledger.statements import StatementQuery, UnknownPlace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.model import Account
    from bank_backend.accounts.service import AccountDirectory
    from bank_backend.database import Database
    from bank_backend.ledger.model import Balances
    from bank_backend.ledger.service import Ledger
    from bank_backend.ledger.statements import Place, StatementLine, StatementPage, Statements
    from bank_backend.tenants.clock import TenantClock
    from bank_backend.tenants.service import TenantRegistry
    from psd2.ids import TenantId

_EARLIEST: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class BookedAccount:
    """An account with what it has."""

    account: Account
    balances: Balances


@dataclass(frozen=True, slots=True)
class AccountBook:
    """An account with a page of its movements; `pending` stands on the first page only."""

    held: BookedAccount
    booked: StatementPage
    pending: Sequence[StatementLine]


class TenantBooks:
    """Reads the books of any tenant; each question names the tenant it is about."""

    def __init__(
        self,
        *,
        tenants: TenantRegistry,
        accounts: AccountDirectory,
        ledger: Ledger,
        statements: Statements,
        database: Database,
        clock: TenantClock,
    ) -> None:
        """Read these."""
        self._tenants = tenants
        self._accounts = accounts
        self._ledger = ledger
        self._statements = statements
        self._database = database
        self._clock = clock

    def accounts(self, tenant: TenantId) -> list[BookedAccount]:
        """Return the accounts of all personas, each once; raises `TenantUnknown`."""
        residents = self._tenants.residents(self._tenants.tenant(tenant).id)
        # A joint account has two holders.
        held = {account.id: account for resident in residents for account in resident.accounts}
        today = self._clock.now(tenant).date()
        with self._database.reading() as connection:
            balances = self._ledger.balances_of(connection, tenant, list(held), today=today)
        return [BookedAccount(account, balances[account.id]) for account in held.values()]

    def book(self, tenant: TenantId, account_id: str, *, older_than: Place | None) -> AccountBook:
        """Return a page of an account's movements, newest first.

        Raises `TenantUnknown`, `ResourceUnknown` for an account that is not this tenant's, `FieldsInvalid` for a page that no
        page led to.
        """
        account = self._accounts.account(self._tenants.tenant(tenant).id, account_id)
        if account is None:
            raise ResourceUnknown(f"account {account_id[:40]!r} is none of tenant {tenant[:80]}")
        today = self._clock.now(tenant).date()
        query = StatementQuery(since=_EARLIEST, until=today, older_than=older_than)
        with self._database.reading() as connection:
            balances = self._ledger.balances(connection, tenant, account.id, today=today)
            try:
                booked = self._statements.page(connection, tenant, account.id, query)
            except UnknownPlace:
                raise FieldsInvalid({"page": "is no page of this account: follow `next` as it is"}) from None
            pending = (
                self._statements.pending(connection, tenant, account.id, since=_EARLIEST, until=today)
                if older_than is None
                else ()
            )
        return AccountBook(BookedAccount(account, balances), booked, pending)
