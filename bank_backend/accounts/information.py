"""What a TPP may read of accounts: the consent is asked first, then the books (BG IG 1.3.8 §6.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.accounts.model import AccessKind, Account, AccountRights, BookingStatus
from bank_backend.errors import ConsentInvalid, FormatError, PathResourceUnknown, ResourceUnknown
from bank_backend.ledger.statements import StatementQuery, UnknownPlace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bank_backend.accounts.model import TransactionsQuery
    from bank_backend.accounts.service import AccountAccess, AccountDirectory
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection, Database
    from bank_backend.ledger.model import Balances
    from bank_backend.ledger.service import Ledger
    from bank_backend.ledger.statements import StatementLine, StatementPage, Statements
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import AccountId, TenantId

NO_PAGE = "page is no page of this list: follow the links of its first page as they are"


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as a consent shows it; `balances` is None where they were not asked for or not granted."""

    account: Account
    rights: AccountRights
    balances: Balances | None


@dataclass(frozen=True, slots=True)
class TransactionReport:
    """A page of an account's transactions; a part that was not asked for is None."""

    view: AccountView
    booked: StatementPage | None
    pending: Sequence[StatementLine] | None


class AccountInformation:
    """Answers the account information resources, each after asking the consent exactly once."""

    def __init__(
        self,
        *,
        access: AccountAccess,
        accounts: AccountDirectory,
        ledger: Ledger,
        statements: Statements,
        database: Database,
        clock: TenantClock,
    ) -> None:
        """Ask `access`, then read the others."""
        self._access = access
        self._accounts = accounts
        self._ledger = ledger
        self._statements = statements
        self._database = database
        self._clock = clock

    def today(self, tenant: TenantId) -> date:
        """Return the tenant's day."""
        return self._clock.now(tenant).date()

    def accounts(self, call: TppCall, *, consent_id: str, with_balance: bool) -> list[AccountView]:
        """Return exactly the accounts that the consent covers; raises what `AccountAccess` raises."""
        access = AccessKind.ACCOUNTS
        granted = self._access.require_access(call, consent_id=consent_id, access=access, account_id=None)
        accounts = self._accounts.accounts(call.tenant, [right.account_id for right in granted.rights])
        rights = {right.account_id: right for right in granted.rights}
        shown = [account.id for account in accounts if with_balance and rights[account.id].balances]
        balances = self._balances_of(call, shown) if shown else {}
        return [AccountView(account, rights[account.id], balances.get(account.id)) for account in accounts]

    def account(self, call: TppCall, account_id: str, *, consent_id: str, with_balance: bool) -> AccountView:
        """Return one account; raises what `AccountAccess` raises, and `ResourceUnknown`."""
        account, rights = self._granted(call, AccessKind.ACCOUNTS, account_id, consent_id=consent_id)
        if not (with_balance and rights.balances):
            return AccountView(account, rights, None)
        with self._database.reading() as connection:
            return AccountView(account, rights, self._balances(connection, call, account))

    def balances(self, call: TppCall, account_id: str, *, consent_id: str) -> tuple[Account, Balances]:
        """Return an account's balances; raises what `AccountAccess` raises, and `ResourceUnknown`."""
        account, _ = self._granted(call, AccessKind.BALANCES, account_id, consent_id=consent_id)
        with self._database.reading() as connection:
            return account, self._balances(connection, call, account)

    def transactions(self, call: TppCall, account_id: str, query: TransactionsQuery, *, consent_id: str) -> TransactionReport:
        """Return a page of transactions; raises what `AccountAccess` raises, `ResourceUnknown`, `FormatError`."""
        account, rights = self._granted(call, AccessKind.TRANSACTIONS, account_id, consent_id=consent_id, page=query.page)
        with self._database.reading() as connection:
            is_shown = query.with_balance and rights.balances
            view = AccountView(account, rights, self._balances(connection, call, account) if is_shown else None)
            return TransactionReport(
                view=view,
                booked=self._booked(connection, call, account, query),
                pending=self._pending(connection, call, account, query),
            )

    def transaction(
        self, call: TppCall, account_id: str, transaction_id: str, *, consent_id: str
    ) -> tuple[AccountView, StatementLine]:
        """Return one transaction; raises what `AccountAccess` raises, `ResourceUnknown`, `PathResourceUnknown`."""
        # Counted for itself, like a page: who has read the list may look closer at each of its movements.
        account, rights = self._granted(call, AccessKind.TRANSACTIONS, account_id, consent_id=consent_id, page=transaction_id)
        with self._database.reading() as connection:
            line = self._statements.one(connection, call.tenant, account.id, transaction_id)
        if line is None:
            text = f"transaction {transaction_id[:40]!r} is none of this account's: take a transactionId from its list"
            raise PathResourceUnknown(text, path="transactionId")
        return AccountView(account, rights, None), line

    def _granted(
        self, call: TppCall, access: AccessKind, account_id: str, *, consent_id: str, page: str | None = None
    ) -> tuple[Account, AccountRights]:
        granted = self._access.require_access(call, consent_id=consent_id, access=access, account_id=account_id, page=page)
        account, rights = self._accounts.account(call.tenant, account_id), granted.on(account_id)
        if account is None:
            raise ResourceUnknown(f"account {account_id[:40]!r} is unknown: take a resourceId from the account list")
        # The consent has said so already; nothing is read on the strength of one check only.
        if rights is None or not _covers(rights, access):
            raise ConsentInvalid(f"the consent does not grant {access} on this account")
        return account, rights

    def _balances_of(self, call: TppCall, account_ids: Sequence[AccountId]) -> dict[AccountId, Balances]:
        with self._database.reading() as connection:
            return self._ledger.balances_of(connection, call.tenant, account_ids, today=self.today(call.tenant))

    def _balances(self, connection: Connection, call: TppCall, account: Account) -> Balances:
        return self._ledger.balances(connection, call.tenant, account.id, today=self.today(call.tenant))

    def _booked(
        self, connection: Connection, call: TppCall, account: Account, query: TransactionsQuery
    ) -> StatementPage | None:
        if query.booking_status is BookingStatus.PENDING:
            return None
        if query.after_number is not None:
            newest = self._statements.newest_number(connection, call.tenant, account.id)
            if query.after_number > newest:
                text = f"entryReferenceFrom {query.after_number} is none of this account's: its newest is {newest}"
                raise FormatError(text, path="entryReferenceFrom")
        statement = StatementQuery(
            since=query.since,
            until=query.until,
            after_number=query.after_number or 0,
            older_than=query.older_than,
        )
        try:
            return self._statements.page(connection, call.tenant, account.id, statement)
        except UnknownPlace:
            # A made-up place could show the newest movements without their being counted as read.
            raise FormatError(NO_PAGE, path="page") from None

    def _pending(
        self, connection: Connection, call: TppCall, account: Account, query: TransactionsQuery
    ) -> Sequence[StatementLine] | None:
        """Return what is pending, with the first page only: it belongs to the list, not to each of its pages."""
        if query.booking_status is BookingStatus.BOOKED or query.page is not None:
            return None
        return self._statements.pending(connection, call.tenant, account.id, since=query.since, until=query.until)


def _covers(rights: AccountRights, access: AccessKind) -> bool:
    return {
        AccessKind.ACCOUNTS: True,
        AccessKind.BALANCES: rights.balances,
        AccessKind.TRANSACTIONS: rights.transactions,
    }[access]
