"""Moving money: both sides, holds, and everything that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bank_backend.ledger.own_accounts import OwnAccount, own_account_id
from bank_backend.ledger.refusals import InsufficientFunds, InvalidAmount, SameAccount, UnknownAccount, UnknownHold
from bank_backend.ledger.store import SqlLedgerStore
from psd2.ids import AccountId
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT, TOM, SeededBank
from tests.unit.bank_backend.ledger.orders import OUTSIDE_IBAN, book, order, reserve

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.accounts.model import Account


def pay(
    bank: SeededBank,
    debtor: Account,
    amount: Money,
    *,
    iban: str = OUTSIDE_IBAN,
    hold: str | None = None,
    now: datetime | None = None,
) -> str:
    """Transfer in a transaction of its own; returns the transaction's id."""
    return book(bank, order(debtor, amount, creditor_iban=iban), hold=hold, now=now).entry


def hold(bank: SeededBank, debtor: Account, amount: Money) -> str:
    return reserve(bank, order(debtor, amount))


def test_a_payment_to_another_bank_lowers_the_payers_balance(bank: SeededBank) -> None:
    """What leaves the bank is owed to the outside: the settlement account has it."""
    account = bank.account(ANNA)
    before = bank.balances(account)

    pay(bank, account, Money(12_345, "EUR"))

    after = bank.balances(account)
    assert after.interim_booked == before.interim_booked - Money(12_345, "EUR")
    assert after.interim_available == before.interim_available - Money(12_345, "EUR")
    # Booked today: yesterday's book is closed.
    assert after.closing_booked == before.closing_booked


def test_a_payee_at_this_bank_is_credited(bank: SeededBank) -> None:
    """Money between two customers changes both balances and leaves the settlement account alone."""
    payer, payee = bank.account(ANNA), bank.account(JONAS)
    before = bank.balances(payee).interim_available

    pay(bank, payer, Money(5_000, "EUR"), iban=payee.iban)

    assert bank.balances(payee).interim_available == before + Money(5_000, "EUR")


def test_an_iban_of_another_tenant_is_another_bank(bank: SeededBank) -> None:
    """A payment never crosses into another TPP's tenant, even to an IBAN that exists there."""
    theirs = bank.account(ANNA, tenant=OTHER_TENANT)
    before = bank.balances(theirs)

    pay(bank, bank.account(ANNA), Money(5_000, "EUR"), iban=theirs.iban)

    assert bank.balances(theirs) == before


def test_another_tenants_account_is_unknown(bank: SeededBank) -> None:
    """The debtor's id alone moves nothing: it has to be of the tenant that asks."""
    theirs = bank.account(ANNA, tenant=OTHER_TENANT)
    before = bank.balances(theirs)

    with pytest.raises(UnknownAccount):
        pay(bank, theirs, Money(100, "EUR"))

    assert bank.balances(theirs) == before


def test_all_that_is_available_can_be_paid_and_one_cent_more_cannot(bank: SeededBank) -> None:
    """The credit line counts, to the cent; a refused payment leaves no trace."""
    account = bank.account(TOM)
    available = bank.balances(account).interim_available

    with pytest.raises(InsufficientFunds) as refusal:
        pay(bank, account, available + Money(1, "EUR"))
    assert refusal.value.available == available
    assert bank.balances(account).interim_available == available

    pay(bank, account, available)
    assert bank.balances(account).interim_available == Money(0, "EUR")


def test_held_funds_can_not_be_spent_elsewhere(bank: SeededBank) -> None:
    """A hold lowers what is available and what is expected, not what is booked."""
    account = bank.account(ANNA)
    before = bank.balances(account)

    hold(bank, account, before.interim_available)

    held = bank.balances(account)
    assert held.interim_available == Money(0, "EUR")
    assert held.interim_booked == before.interim_booked
    assert held.expected == before.expected - before.interim_available
    with pytest.raises(InsufficientFunds):
        pay(bank, account, Money(1, "EUR"))


def test_a_hold_is_settled_by_its_transfer(bank: SeededBank) -> None:
    """The transfer takes the very funds that its hold reserved."""
    account = bank.account(ANNA)
    available = bank.balances(account).interim_available
    held = hold(bank, account, available)

    pay(bank, account, available, hold=held)

    assert bank.balances(account).interim_available == Money(0, "EUR")
    with pytest.raises(UnknownHold):
        pay(bank, account, Money(1, "EUR"), hold=held)


def test_a_released_hold_gives_the_funds_back_once(bank: SeededBank) -> None:
    """A release restores what was available; a hold ends once."""
    account = bank.account(ANNA)
    before = bank.balances(account)
    held = hold(bank, account, Money(2_000, "EUR"))

    with bank.database.writing() as connection:
        bank.services.ledger.release(connection, tenant=TENANT, hold=held, now=bank.clock.now())

    assert bank.balances(account) == before
    with pytest.raises(UnknownHold), bank.database.writing() as connection:
        bank.services.ledger.release(connection, tenant=TENANT, hold=held, now=bank.clock.now())


def test_a_refused_transfer_leaves_its_hold_open(bank: SeededBank) -> None:
    """Settling a hold with more than there is fails whole: the funds stay reserved."""
    account = bank.account(ANNA)
    held = hold(bank, account, Money(2_000, "EUR"))
    before = bank.balances(account)

    with pytest.raises(InsufficientFunds):
        pay(bank, account, before.interim_available + Money(2_001, "EUR"), hold=held)

    assert bank.balances(account) == before


def test_another_tenants_hold_is_unknown(bank: SeededBank) -> None:
    """A hold is released by its own tenant only."""
    held = hold(bank, bank.account(ANNA), Money(2_000, "EUR"))

    with pytest.raises(UnknownHold), bank.database.writing() as connection:
        bank.services.ledger.release(connection, tenant=OTHER_TENANT, hold=held, now=bank.clock.now())


@pytest.mark.parametrize("minor", [0, -1])
def test_nothing_and_less_is_not_moved(bank: SeededBank, minor: int) -> None:
    """A negative transfer would draw on the payee."""
    with pytest.raises(InvalidAmount):
        pay(bank, bank.account(ANNA), Money(minor, "EUR"))


def test_an_account_is_not_paid_from_itself(bank: SeededBank) -> None:
    """Debtor and creditor are two accounts."""
    account = bank.account(ANNA)

    with pytest.raises(SameAccount):
        pay(bank, account, Money(100, "EUR"), iban=account.iban)


def test_a_first_payment_in_a_new_currency_opens_the_banks_own_account(bank: SeededBank) -> None:
    """The bank's own accounts come into being as they are needed, one for each tenant, currency and purpose."""
    wanted = own_account_id(TENANT, "SEK")
    assert wanted != own_account_id(OTHER_TENANT, "SEK")

    for _ in range(2):
        with bank.database.writing() as connection:
            SqlLedgerStore().ensure(connection, TENANT, {wanted: ("SEK", OwnAccount.SETTLEMENT)})
            (found,) = SqlLedgerStore().lock(connection, TENANT, [wanted])

    assert (found.id, found.currency, found.overdraft_minor) == (wanted, "SEK", None)


def test_a_settlement_account_is_no_customers_account(bank: SeededBank) -> None:
    """Nobody lists it, nobody reads it."""
    assert bank.services.accounts.account(TENANT, own_account_id(TENANT, "EUR")) is None
    with pytest.raises(UnknownAccount), bank.database.reading() as connection:
        bank.services.ledger.balances(connection, TENANT, AccountId("nothing"), today=bank.clock.now().date())
