"""Moving money: every movement is one balanced entry, made inside the caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.ledger.model import (
    Balances,
    Details,
    Entry,
    Hold,
    InvalidAmount,
    Journal,
    Party,
    SameAccount,
    UnknownAccount,
)
from psd2.ids import new_uuid
from psd2.money import CurrencyMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.database import Connection
    from bank_backend.ledger.model import BookAccount, Reconciliation
    from psd2.ids import AccountId, TenantId
    from psd2.money import Money

# ISO 20022 bank transaction code: payments, issued credit transfers, SEPA credit transfer.
SEPA_CREDIT_TRANSFER = "PMNT-ICDT-ESCT"


class LedgerStore(Protocol):
    """The books. Each call works inside the caller's transaction."""

    def lock(self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId]) -> list[BookAccount]:
        """Return the accounts as they stand, locked until the transaction ends; unknown ones are left out."""

    def account_of_iban(self, connection: Connection, tenant: TenantId, iban: str) -> AccountId | None:
        """Return the tenant's account of this IBAN, or None."""

    def settlement(self, connection: Connection, tenant: TenantId, currency: str) -> AccountId:
        """Return the bank's own account with the outside world in this currency, made where missing."""

    def append(self, connection: Connection, journal: Journal) -> None:
        """Write the journal's entries and postings."""

    def open_holds(self, connection: Connection, opened: Sequence[Hold]) -> None:
        """Write holds."""

    def close_hold(self, connection: Connection, tenant: TenantId, hold_id: str, *, at: datetime, entry_id: str | None) -> None:
        """Close an open hold, settled by an entry or released (None); raises `UnknownHold`."""

    def balances(
        self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId], today: date
    ) -> dict[AccountId, Balances]:
        """Return what each account has; unknown accounts are left out."""

    def reconcile(self, connection: Connection) -> Reconciliation:
        """Look through the whole ledger."""


class Ledger:
    """The bank's books."""

    def __init__(self, store: LedgerStore) -> None:
        """Write to `store`."""
        self._store = store

    def transfer(
        self,
        connection: Connection,
        *,
        tenant: TenantId,
        debtor: AccountId,
        creditor_iban: str,
        creditor_name: str,
        amount: Money,
        remittance: str,
        end_to_end_id: str,
        now: datetime,
        hold: str | None = None,
    ) -> str:
        """Book a credit transfer and return its transaction id.

        The payee is credited where its IBAN is of this tenant's bank, else the settlement account. `hold` is what reserved
        the amount: it is closed by this entry. Raises `InsufficientFunds`, `UnknownAccount`, `SameAccount`,
        `InvalidAmount`, `UnknownHold`, and `CurrencyMismatch` where an account is of another currency.
        """
        _require_positive(amount)
        entry_id = new_uuid()
        if hold is not None:
            self._store.close_hold(connection, tenant, hold, at=now, entry_id=entry_id)
        creditor = self._creditor(connection, tenant, creditor_iban, amount.currency)
        source, target = self._locked_pair(connection, tenant, debtor=debtor, creditor=creditor)
        source.require_funds(amount)
        details = Details(
            debtor=Party(source.owner_name, source.iban),
            creditor=Party(creditor_name, creditor_iban),
            remittance=remittance,
            code=SEPA_CREDIT_TRANSFER,
            end_to_end_id=end_to_end_id,
        )
        entry = _credit_transfer(entry_id, tenant, details, source=source, target=target, amount=amount, now=now)
        journal = Journal(positions={source.id: source.position, target.id: target.position})
        journal.post(entry)
        self._store.append(connection, journal)
        return entry_id

    def hold(
        self,
        connection: Connection,
        *,
        tenant: TenantId,
        debtor: AccountId,
        creditor_iban: str,
        creditor_name: str,
        amount: Money,
        remittance: str,
        end_to_end_id: str,
        now: datetime,
    ) -> str:
        """Reserve funds for a transfer to come and return the hold's id, which is its pending transaction's id too.

        Raises `InsufficientFunds`, `UnknownAccount`, `InvalidAmount`, `CurrencyMismatch`.
        """
        _require_positive(amount)
        source = self._locked(connection, tenant, debtor)
        source.require_funds(amount)
        details = Details(
            debtor=Party(source.owner_name, source.iban),
            creditor=Party(creditor_name, creditor_iban),
            remittance=remittance,
            code=SEPA_CREDIT_TRANSFER,
            end_to_end_id=end_to_end_id,
        )
        hold = Hold(
            id=new_uuid(),
            tenant=tenant,
            account_id=source.id,
            amount=-amount,
            at=now,
            value_date=now.date(),
            details=details,
        )
        self._store.open_holds(connection, [hold])
        return hold.id

    def release(self, connection: Connection, *, tenant: TenantId, hold: str, now: datetime) -> None:
        """Give a hold's funds back; raises `UnknownHold`."""
        self._store.close_hold(connection, tenant, hold, at=now, entry_id=None)

    def balances(self, connection: Connection, tenant: TenantId, account_id: AccountId, *, today: date) -> Balances:
        """Return what one account has; raises `UnknownAccount`."""
        found = self._store.balances(connection, tenant, [account_id], today)
        if account_id not in found:
            raise UnknownAccount(account_id)
        return found[account_id]

    def balances_of(
        self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId], *, today: date
    ) -> dict[AccountId, Balances]:
        """Return what several accounts have, in one question; unknown accounts are left out."""
        return self._store.balances(connection, tenant, account_ids, today)

    def available(self, connection: Connection, tenant: TenantId, account_id: AccountId, *, today: date) -> Money:
        """Return what can be spent now, holds deducted and the credit line included; raises `UnknownAccount`."""
        return self.balances(connection, tenant, account_id, today=today).interim_available

    def reconcile(self, connection: Connection) -> Reconciliation:
        """Look through the whole ledger: entries balanced, balances as postings sum, no account below its limit."""
        return self._store.reconcile(connection)

    def _creditor(self, connection: Connection, tenant: TenantId, iban: str, currency: str) -> AccountId:
        account_id = self._store.account_of_iban(connection, tenant, iban)
        return self._store.settlement(connection, tenant, currency) if account_id is None else account_id

    def _locked(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> BookAccount:
        found = self._store.lock(connection, tenant, [account_id])
        if not found:
            raise UnknownAccount(account_id)
        return found[0]

    def _locked_pair(
        self, connection: Connection, tenant: TenantId, *, debtor: AccountId, creditor: AccountId
    ) -> tuple[BookAccount, BookAccount]:
        if debtor == creditor:
            raise SameAccount(debtor)
        found = {account.id: account for account in self._store.lock(connection, tenant, [debtor, creditor])}
        missing = {debtor, creditor} - found.keys()
        if missing:
            raise UnknownAccount(*missing)
        return found[debtor], found[creditor]


def _require_positive(amount: Money) -> None:
    if amount.minor <= 0:
        msg = f"{amount} can't be moved: the amount must be above zero"
        raise InvalidAmount(msg)


def _credit_transfer(
    entry_id: str,
    tenant: TenantId,
    details: Details,
    *,
    source: BookAccount,
    target: BookAccount,
    amount: Money,
    now: datetime,
) -> Entry:
    if target.currency != amount.currency:
        msg = f"{amount} can't be credited to an account in {target.currency}"
        raise CurrencyMismatch(msg)
    # A payee at this bank is named on both statements as the payer wrote it, and the account as the book has it.
    return Entry(
        id=entry_id,
        tenant=tenant,
        at=now,
        booking_date=now.date(),
        value_date=now.date(),
        details=replace(details, creditor=replace(details.creditor, iban=target.iban or details.creditor.iban)),
        lines=((source.id, -amount), (target.id, amount)),
    )
