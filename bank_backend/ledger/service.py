"""Moving money: every movement is made of balanced entries, written inside the caller's transaction or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.ledger.batches import naming, plan_batch, require_one_batch
from bank_backend.ledger.model import Balances, Hold, Journal
from bank_backend.ledger.planning import Parties, Plan, charges_of, details_of, totals
from bank_backend.ledger.refusals import LedgerError, SameAccount, Side, UnknownAccount
from psd2.ids import new_uuid
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from bank_backend.database import Connection
    from bank_backend.ledger.exchange import RateTable
    from bank_backend.ledger.model import BookAccount, Details
    from bank_backend.ledger.orders import Booked, BookedBatch, Charges, IncomingTransfer, TransferOrder
    from bank_backend.ledger.own_accounts import OwnAccount
    from bank_backend.ledger.planning import AccountFacts
    from bank_backend.ledger.reconciliation import Reconciliation
    from psd2.ids import AccountId, TenantId


class LedgerStore(Protocol):
    """The books. Each call works inside the caller's transaction."""

    def facts(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> AccountFacts | None:
        """Return what never changes of a customer's account, or None."""

    def facts_of_iban(self, connection: Connection, tenant: TenantId, iban: str, currency: str) -> AccountFacts | None:
        """Return the same for an IBAN, of its several accounts the one in this currency; None where it isn't this bank's."""

    def ensure(self, connection: Connection, tenant: TenantId, own: Mapping[AccountId, tuple[str, OwnAccount]]) -> None:
        """Make those of the bank's own accounts that are missing."""

    def lock(self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId]) -> list[BookAccount]:
        """Return the accounts as they stand, locked until the transaction ends; unknown ones are left out."""

    def sent(self, connection: Connection, account_id: AccountId, day: date) -> int:
        """Return how much the account has sent on a day by credit transfers, in minor units, with what is held for some."""

    def open_hold(self, connection: Connection, tenant: TenantId, account_id: AccountId, hold_id: str) -> int:
        """Return how much an open hold of this account reserves; raises `UnknownHold`."""

    def append(self, connection: Connection, journal: Journal, *, at: datetime, settled: Sequence[str] = ()) -> None:
        """Write the journal, and the end of the holds that its first entry settles.

        All of it or, raising `AlreadyBooked` or `UnknownHold`, nothing.
        """

    def open_holds(self, connection: Connection, opened: Sequence[Hold]) -> None:
        """Write holds."""

    def close_hold(self, connection: Connection, tenant: TenantId, hold_id: str, *, at: datetime) -> None:
        """Release an open hold; raises `UnknownHold`."""

    def balances(
        self, connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId], today: date
    ) -> dict[AccountId, Balances]:
        """Return what each account has; unknown accounts are left out."""

    def reconcile(self, connection: Connection) -> Reconciliation:
        """Look through the books of all tenants."""


class Ledger:
    """The bank's books. What raises a `LedgerError` has written nothing."""

    def __init__(self, store: LedgerStore, *, rates: RateTable) -> None:
        """Write to `store`, exchange at `rates`."""
        self._store = store
        self._rates = rates

    def quote(self, connection: Connection, order: TransferOrder, now: datetime) -> Charges:
        """Return what a transfer would cost and bring now, whether or not the funds suffice."""
        return charges_of(order, self._parties(connection, order), day=now.date(), rates=self._rates)

    def transfer(self, connection: Connection, order: TransferOrder, now: datetime, *, hold: str | None = None) -> Booked:
        """Book a credit transfer.

        The payee is credited where its IBAN is of this tenant's bank, else the outside is. `hold` is what reserved the
        amount: this entry settles it. Raises `LedgerError` of many kinds (`bank_backend.ledger.refusals`).
        """
        parties = self._parties(connection, order)
        charges = charges_of(order, parties, day=now.date(), rates=self._rates)
        plan = Plan(order.tenant, now)
        booked = plan.add_transfer(order, parties, charges)
        accounts = self._locked(connection, plan)
        freed = 0 if hold is None else self._store.open_hold(connection, order.tenant, order.debtor, hold)
        _require_creditable(accounts, parties)
        self._require_debitable(connection, accounts[order.debtor], [charges], now, freed_minor=freed)
        self._post(connection, plan, accounts, settled=[] if hold is None else [hold])
        return booked

    def transfer_batch(
        self,
        connection: Connection,
        orders: Sequence[TransferOrder],
        now: datetime,
        *,
        origin: str | None = None,
        holds: Sequence[str] = (),
    ) -> BookedBatch:
        """Book transfers of one debtor with a single debit (`batchBookingPreferred`), and each payee's credit for itself.

        Raises `BatchRefused`, naming the first that can't be made, and what `transfer` raises for the debtor.
        """
        first = require_one_batch(orders)
        debtor = self._debtor(connection, first)
        transfers = []
        for position, order in enumerate(orders):
            with naming(position):
                parties = self._parties(connection, order, debtor)
                transfers.append((order, parties, charges_of(order, parties, day=now.date(), rates=self._rates)))
        plan = Plan(first.tenant, now)
        booked = plan_batch(plan, debtor, transfers, origin=origin)
        accounts = self._locked(connection, plan)
        for position, (_, parties, _) in enumerate(transfers):
            with naming(position):
                _require_creditable(accounts, parties)
        freed = sum(self._store.open_hold(connection, first.tenant, debtor.id, hold) for hold in holds)
        self._require_debitable(connection, accounts[debtor.id], [one for _, _, one in transfers], now, freed_minor=freed)
        self._post(connection, plan, accounts, settled=holds)
        return booked

    def receive(self, connection: Connection, incoming: IncomingTransfer, now: datetime) -> Booked:
        """Book money that arrives from outside; raises `UnknownAccount`, `ClosedAccount`, `BlockedAccount` and kin."""
        creditor = self._store.facts_of_iban(connection, incoming.tenant, incoming.creditor_iban, incoming.amount.currency)
        if creditor is None:
            msg = f"this bank has no account {incoming.creditor_iban[:40]!r}"
            raise UnknownAccount(msg)
        plan = Plan(incoming.tenant, now)
        booked = plan.add_incoming(incoming, creditor, self._rates)
        accounts = self._locked(connection, plan)
        accounts[creditor.id].require_usable(Side.CREDITOR)
        self._post(connection, plan, accounts)
        return booked

    def move(
        self,
        connection: Connection,
        *,
        tenant: TenantId,
        debtor: AccountId,
        creditor: AccountId,
        amount: Money,
        details: Details,
        now: datetime,
        origin: str | None = None,
    ) -> str:
        """Book what is no transfer between two accounts of this bank and one currency; returns the entry's id.

        Free of charge and of limits: a card's invoice is paid by it. Raises `LedgerError` as `transfer` does.
        """
        plan = Plan(tenant, now)
        entry = plan.add_move(details, debtor=debtor, creditor=creditor, amount=amount, origin=origin)
        accounts = self._locked(connection, plan)
        accounts[debtor].require_usable(Side.DEBTOR)
        accounts[creditor].require_usable(Side.CREDITOR)
        accounts[debtor].require_funds(amount)
        self._post(connection, plan, accounts)
        return entry

    def clear(self, connection: Connection, hold: Hold, now: datetime) -> str:
        """Book what was pending as it was promised, whatever has become of the account; returns the entry's id.

        Raises `UnknownHold` where it has ended.
        """
        plan = Plan(hold.tenant, now)
        entry = plan.add_cleared(hold)
        self._post(connection, plan, self._locked(connection, plan), settled=[hold.id])
        return entry

    def hold(self, connection: Connection, order: TransferOrder, now: datetime) -> str:
        """Reserve what a transfer to come will cost and return the hold's id, which is its pending transaction's id too."""
        parties = self._parties(connection, order)
        charges = charges_of(order, parties, day=now.date(), rates=self._rates)
        (source,) = self._store.lock(connection, order.tenant, [parties.debtor.id])
        self._require_debitable(connection, source, [charges], now)
        hold = Hold(
            id=new_uuid(),
            tenant=order.tenant,
            account_id=source.id,
            amount=-charges.debited,
            at=now,
            value_date=now.date(),
            details=details_of(order, parties),
        )
        self._store.open_holds(connection, [hold])
        return hold.id

    def release(self, connection: Connection, *, tenant: TenantId, hold: str, now: datetime) -> None:
        """Give a hold's funds back; raises `UnknownHold`."""
        self._store.close_hold(connection, tenant, hold, at=now)

    def lock(self, connection: Connection, orders: Sequence[TransferOrder], now: datetime) -> None:
        """Lock every account that these transfers will touch: to be said before several are made in one transaction.

        Each locks its own accounts in order; a second one would come back to accounts before those of the first, and two
        transactions that do so wait for each other. Orders that can't be made are left out: each will tell by itself.
        """
        plans: dict[TenantId, Plan] = {}
        for order in orders:
            plan = plans.setdefault(order.tenant, Plan(order.tenant, now))
            try:
                parties = self._parties(connection, order)
                plan.add_transfer(order, parties, charges_of(order, parties, day=now.date(), rates=self._rates))
            except LedgerError:
                continue
        for plan in plans.values():
            self._locked(connection, plan)

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
        """Look through the books of all tenants."""
        return self._store.reconcile(connection)

    def _debtor(self, connection: Connection, order: TransferOrder) -> AccountFacts:
        debtor = self._store.facts(connection, order.tenant, order.debtor)
        if debtor is None:
            raise UnknownAccount(order.debtor)
        return debtor

    def _parties(self, connection: Connection, order: TransferOrder, debtor: AccountFacts | None = None) -> Parties:
        debtor = debtor or self._debtor(connection, order)
        creditor = self._store.facts_of_iban(connection, order.tenant, order.creditor_iban, order.amount.currency)
        if creditor is not None and creditor.id == debtor.id:
            raise SameAccount
        return Parties(debtor, creditor)

    def _locked(self, connection: Connection, plan: Plan) -> dict[AccountId, BookAccount]:
        """Lock all accounts of a plan, in the one order that everybody keeps."""
        self._store.ensure(connection, plan.tenant, plan.own)
        found = {account.id: account for account in self._store.lock(connection, plan.tenant, plan.account_ids)}
        missing = set(plan.account_ids) - found.keys()
        if missing:
            raise UnknownAccount(*missing)
        return found

    def _require_debitable(
        self, connection: Connection, debtor: BookAccount, charges: Sequence[Charges], now: datetime, *, freed_minor: int = 0
    ) -> None:
        debtor.require_usable(Side.DEBTOR)
        for one in charges:
            debtor.require_sendable(one.debited - one.fee)
        if debtor.daily_limit_minor is not None:
            sent = self._store.sent(connection, debtor.id, now.date()) - freed_minor
            debtor.require_sendable_today(totals([one.debited - one.fee for one in charges]) + Money(sent, debtor.currency))
        debtor.require_funds(totals([one.debited for one in charges]), freed_minor=freed_minor)

    def _post(
        self, connection: Connection, plan: Plan, accounts: Mapping[AccountId, BookAccount], *, settled: Sequence[str] = ()
    ) -> None:
        journal = Journal(positions={account.id: account.position for account in accounts.values()})
        for entry in plan.entries:
            journal.post(entry)
        self._store.append(connection, journal, settled=settled, at=plan.now)


def _require_creditable(accounts: Mapping[AccountId, BookAccount], parties: Parties) -> None:
    if parties.creditor is not None:
        accounts[parties.creditor.id].require_usable(Side.CREDITOR)
