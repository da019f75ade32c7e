"""From an order to the entries that carry it out. Pure: what it costs, which accounts it touches, what is posted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bank_backend.ledger.exchange import EURO
from bank_backend.ledger.model import Details, Entry, Party
from bank_backend.ledger.orders import Booked, Charges
from bank_backend.ledger.own_accounts import OwnAccount, own_account_id
from bank_backend.ledger.particulars import Particulars
from bank_backend.ledger.products import ChargeBearer, product_of, shares
from bank_backend.ledger.refusals import CurrencyRefused, InvalidAmount
from psd2.ids import new_uuid
from psd2.money import Money

if TYPE_CHECKING:
    from datetime import date, datetime

    from bank_backend.ledger.batch_parts import BatchPart
    from bank_backend.ledger.exchange import Exchange, RateTable
    from bank_backend.ledger.model import Hold
    from bank_backend.ledger.orders import IncomingTransfer, TransferOrder
    from psd2.ids import AccountId, TenantId

# Payments, miscellaneous debit operations, charges.
CHARGES_CODE = "PMNT-MDOP-CHRG"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What never changes of a customer's account."""

    id: AccountId
    iban: str
    owner_name: str
    currency: str


@dataclass(frozen=True, slots=True)
class Parties:
    """The accounts of a transfer; no creditor where the payee is with another bank."""

    debtor: AccountFacts
    creditor: AccountFacts | None


def charges_of(order: TransferOrder, parties: Parties, *, day: date, rates: RateTable) -> Charges:
    """Return what a transfer costs and brings; raises `InvalidAmount`, `CurrencyRefused`, `NoRate`."""
    require_positive(order.amount)
    source = parties.debtor.currency
    target = order.amount.currency if parties.creditor is None else parties.creditor.currency
    exchange = None if source == target else rates.exchange(source=source, target=target, day=day)
    debit, credit = _exchanged(order.amount, exchange)
    if debit.currency != source:
        msg = f"{order.amount} can't be paid from an account in {source} to one in {target}"
        raise CurrencyRefused(msg)
    fee, creditor_fee = _fees(order, source=source, target=target, day=day, rates=rates)
    conversion_fee, of_creditor = _conversion_fees(order.charge_bearer, debit, credit, rates)
    fee, creditor_fee = fee + conversion_fee, creditor_fee + of_creditor
    if debit.minor <= 0 or credit <= creditor_fee:
        msg = f"{order.amount} is too little: charges and exchange leave nothing of it"
        raise InvalidAmount(msg)
    return Charges(
        debited=debit + fee,
        fee=fee,
        credited=credit - creditor_fee,
        creditor_fee=creditor_fee,
        conversion_fee=conversion_fee,
        exchange=exchange,
    )


def _exchanged(amount: Money, exchange: Exchange | None) -> tuple[Money, Money]:
    """Return what is taken and what is given, before charges."""
    if exchange is None:
        return amount, amount
    if amount.currency == exchange.source_currency:
        return amount, exchange.bought(amount)
    if amount.currency == exchange.target_currency:
        return exchange.cost(amount), amount
    return amount, amount


def _conversion_fees(bearer: ChargeBearer, debit: Money, credit: Money, rates: RateTable) -> tuple[Money, Money]:
    """Return what debtor and creditor bear of what exchanging costs: whoever bears what sending costs."""
    if debit.currency == credit.currency:
        return Money(0, debit.currency), Money(0, credit.currency)
    if bearer is ChargeBearer.CRED:
        return Money(0, debit.currency), rates.conversion_fee(credit)
    return rates.conversion_fee(debit), Money(0, credit.currency)


def _fees(order: TransferOrder, *, source: str, target: str, day: date, rates: RateTable) -> tuple[Money, Money]:
    product = product_of(order.code)
    if product.is_free:
        return Money(0, source), Money(0, target)
    euros = rates.exchange(source=order.amount.currency, target=EURO, day=day).bought(order.amount)
    debtors, creditors = shares(product, order.charge_bearer, euros)
    return (
        rates.exchange(source=EURO, target=source, day=day).bought(debtors),
        rates.exchange(source=EURO, target=target, day=day).bought(creditors),
    )


@dataclass(slots=True)
class Plan:
    """Entries to post, and which of the bank's own accounts they touch."""

    tenant: TenantId
    now: datetime
    entries: list[Entry] = field(default_factory=list)
    own: dict[AccountId, tuple[str, OwnAccount]] = field(default_factory=dict)

    @property
    def account_ids(self) -> list[AccountId]:
        """Every account that is touched, in the one order in which all of us lock them."""
        return sorted({account_id for entry in self.entries for account_id, _ in entry.lines})

    def add_transfer(
        self, order: TransferOrder, parties: Parties, charges: Charges, *, source: AccountId | None = None
    ) -> Booked:
        """Add a transfer's entry, and that of its fee; `source` pays instead of the debtor, and then no fee is booked."""
        entry = self._entry(
            details=details_of(order, parties),
            lines=self._lines(source or parties.debtor.id, parties, charges),
            value_date=product_of(order.code).value_date(self.now, is_internal=parties.creditor is not None),
            origin=order.origin,
            exchange=charges.exchange,
        )
        fee_entry = None if source or not charges.fee.minor else self.add_fee(parties.debtor, charges.fee, of=entry.id)
        return Booked(
            entry=entry.id,
            fee_entry=fee_entry,
            booking_date=entry.booking_date,
            value_date=entry.value_date,
            charges=charges,
        )

    def add_fee(self, debtor: AccountFacts, fee: Money, *, of: str) -> str:
        """Add the entry of the debtor's fee for another entry; returns its id."""
        details = Details(
            debtor=Party(debtor.owner_name, debtor.iban),
            creditor=Party("Bank charges"),
            remittance=f"Charges for transaction {of}",
            code=CHARGES_CODE,
        )
        lines = ((debtor.id, -fee), (self._own(fee.currency, OwnAccount.FEES), fee))
        return self._entry(details=details, lines=lines, value_date=self.now.date(), charge_of=of).id

    def add_batch(
        self, debtor: AccountFacts, parts: tuple[BatchPart, ...], *, code: str, value_date: date, origin: str | None
    ) -> str:
        """Add the one debit of a batch, into transit; returns its id."""
        debit = Money(sum(part.amount_minor for part in parts), debtor.currency)
        details = Details(
            debtor=Party(debtor.owner_name, debtor.iban),
            creditor=Party(f"{len(parts)} payees"),
            remittance=f"Batch of {len(parts)} transfers",
            code=code,
            particulars=Particulars(batch_size=len(parts), batch=parts),
        )
        lines = ((debtor.id, debit), (self.transit(debit.currency), -debit))
        return self._entry(details=details, lines=lines, value_date=value_date, origin=origin).id

    def add_cleared(self, hold: Hold) -> str:
        """Add the entry of what was pending between an account and the outside; returns its id."""
        outside = self._own(hold.amount.currency, OwnAccount.SETTLEMENT)
        lines = ((hold.account_id, hold.amount), (outside, -hold.amount))
        entry = self._entry(details=hold.details, lines=lines, value_date=hold.value_date, at=hold.at)
        return entry.id

    def add_incoming(self, incoming: IncomingTransfer, creditor: AccountFacts, rates: RateTable) -> Booked:
        """Add the entry of money that arrives from outside; raises `InvalidAmount`, `NoRate`."""
        require_positive(incoming.amount)
        source, target, day = incoming.amount.currency, creditor.currency, self.now.date()
        exchange = None if source == target else rates.exchange(source=source, target=target, day=day)
        credited = incoming.amount if exchange is None else exchange.bought(incoming.amount)
        require_positive(credited)
        free = Money(0, source)
        charges = Charges(
            debited=incoming.amount,
            fee=free,
            credited=credited,
            creditor_fee=Money(0, target),
            conversion_fee=free,
            exchange=exchange,
        )
        details = Details(
            debtor=Party(incoming.debtor_name, incoming.debtor_iban),
            creditor=Party(creditor.owner_name, creditor.iban),
            remittance=incoming.remittance,
            code=incoming.code,
            end_to_end_id=incoming.end_to_end_id,
            particulars=incoming.particulars,
        )
        outside = AccountFacts(self._own(source, OwnAccount.SETTLEMENT), "", "", source)
        entry = self._entry(
            details=details,
            lines=self._lines(outside.id, Parties(outside, creditor), charges),
            value_date=day,
            origin=incoming.origin,
            exchange=exchange,
        )
        return Booked(entry=entry.id, fee_entry=None, booking_date=day, value_date=day, charges=charges)

    def add_move(
        self, details: Details, *, debtor: AccountId, creditor: AccountId, amount: Money, origin: str | None = None
    ) -> str:
        """Add a movement between two accounts of one currency that is no payment product's; returns its entry's id."""
        require_positive(amount)
        lines = ((debtor, -amount), (creditor, amount))
        return self._entry(details=details, lines=lines, value_date=self.now.date(), origin=origin).id

    def transit(self, currency: str) -> AccountId:
        """Return where a batch's debit waits."""
        return self._own(currency, OwnAccount.TRANSIT)

    def _entry(
        self,
        *,
        details: Details,
        lines: tuple[tuple[AccountId, Money], ...],
        value_date: date,
        origin: str | None = None,
        exchange: Exchange | None = None,
        charge_of: str | None = None,
        at: datetime | None = None,
    ) -> Entry:
        entry = Entry(
            id=new_uuid(),
            tenant=self.tenant,
            # When it happened: a purchase is booked on a later day.
            at=at or self.now,
            # Books are open every day: who looks at the statement of a Sunday sees what was booked on it.
            booking_date=self.now.date(),
            value_date=value_date,
            details=details,
            lines=lines,
            origin=origin,
            exchange=exchange,
            charge_of=charge_of,
        )
        self.entries.append(entry)
        return entry

    def _lines(self, source: AccountId, parties: Parties, charges: Charges) -> tuple[tuple[AccountId, Money], ...]:
        debit, credited = charges.debited - charges.fee, charges.credited
        creditor = parties.creditor
        target = self._own(credited.currency, OwnAccount.SETTLEMENT) if creditor is None else creditor.id
        lines = [(source, -debit), (target, credited)]
        if charges.exchange is not None:
            # The bank takes the one currency and gives of the other: each sums to zero for itself.
            lines.append((self._own(debit.currency, OwnAccount.EXCHANGE), debit))
            lines.append((self._own(credited.currency, OwnAccount.EXCHANGE), -(credited + charges.creditor_fee)))
        if charges.creditor_fee.minor:
            lines.append((self._own(credited.currency, OwnAccount.FEES), charges.creditor_fee))
        return tuple(lines)

    def _own(self, currency: str, purpose: OwnAccount) -> AccountId:
        account_id = own_account_id(self.tenant, currency, purpose)
        self.own[account_id] = (currency, purpose)
        return account_id


def details_of(order: TransferOrder, parties: Parties) -> Details:
    """Return what statements say of a transfer."""
    debtor, creditor = parties.debtor, parties.creditor
    return Details(
        debtor=Party(debtor.owner_name, debtor.iban),
        # A payee at this bank is named on both statements as the payer wrote it, and the account as the book has it.
        creditor=Party(order.creditor_name, order.creditor_iban if creditor is None else creditor.iban),
        remittance=order.remittance,
        code=order.code,
        end_to_end_id=order.end_to_end_id,
        particulars=order.particulars,
    )


def require_positive(amount: Money) -> None:
    """Raise `InvalidAmount` for nothing or less."""
    if amount.minor <= 0:
        msg = f"{amount} can't be moved: the amount must be above zero"
        raise InvalidAmount(msg)


def totals(amounts: list[Money]) -> Money:
    """Return the sum of amounts of one currency."""
    sums: Counter[str] = Counter()
    for amount in amounts:
        sums[amount.currency] += amount.minor
    ((currency, minor),) = sums.items()
    return Money(minor, currency)
