"""Batches, money that arrives, what is executed once, and what an account refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from bank_backend.accounts.store import accounts
from bank_backend.ledger.orders import IncomingTransfer
from bank_backend.ledger.products import PRODUCTS
from bank_backend.ledger.refusals import (
    AlreadyBooked,
    BatchRefused,
    BlockedAccount,
    ClosedAccount,
    InsufficientFunds,
    LedgerError,
    LimitExceeded,
    SameAccount,
    UnknownAccount,
    UnknownHold,
)
from bank_backend.ledger.statement_store import SqlStatementStore
from psd2.ids import PsuId
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, KARL, OTHER_TENANT, TENANT, SeededBank
from tests.unit.bank_backend.ledger.orders import OUTSIDE_IBAN, book, is_right, order, reserve

if TYPE_CHECKING:
    from bank_backend.accounts.model import Account
    from bank_backend.ledger.orders import BookedBatch, TransferOrder

TARGET_2 = PRODUCTS["target-2-payments"].code
TEN = Money(10_00, "EUR")


def amend(bank: SeededBank, account: Account, **values: object) -> None:
    with bank.database.writing() as connection:
        connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))


def book_batch(bank: SeededBank, orders: list[TransferOrder], *, holds: tuple[str, ...] = ()) -> BookedBatch:
    with bank.database.writing() as connection:
        return bank.services.ledger.transfer_batch(connection, orders, bank.clock.now(), origin="batch", holds=holds)


@pytest.mark.parametrize(
    ("status", "refusal", "code"), [("blocked", BlockedAccount, "AC06"), ("deleted", ClosedAccount, "AC04")]
)
@pytest.mark.parametrize("side", ["debtor", "creditor"])
def test_a_blocked_or_closed_account_takes_no_part(
    bank: SeededBank, status: str, refusal: type[LedgerError], code: str, side: str
) -> None:
    """Nothing leaves it and nothing is credited; the refusal says whose it is."""
    payer, payee = bank.account(ANNA), bank.account(JONAS)
    amend(bank, payer if side == "debtor" else payee, status=status)
    before = bank.balances(payer), bank.balances(payee)

    with pytest.raises(refusal) as refused:
        book(bank, order(payer, TEN, creditor_iban=payee.iban))

    assert str(refused.value).startswith(f"the {side}'s account is ")
    assert refused.value.reason_code == code
    assert (bank.balances(payer), bank.balances(payee)) == before


def test_a_blocked_account_holds_for_nothing_and_receives_nothing(bank: SeededBank) -> None:
    """By whichever door."""
    amend(bank, bank.account(ANNA), status="blocked")

    with pytest.raises(BlockedAccount):
        reserve(bank, order(bank.account(ANNA), TEN))
    with pytest.raises(BlockedAccount):
        receive(bank, incoming(bank.account(ANNA)))


def test_a_limit_for_each_transfer(bank: SeededBank) -> None:
    """To the cent; fees don't count."""
    payer = bank.account(ANNA)
    amend(bank, payer, transfer_limit_minor=10_00)

    with pytest.raises(LimitExceeded) as refused:
        book(bank, order(payer, TEN + Money(1, "EUR")))
    book(bank, order(payer, TEN, code=TARGET_2))

    assert (refused.value.limit, refused.value.period, refused.value.reason_code) == (TEN, "transfer", "AM02")


def test_a_limit_for_each_day(bank: SeededBank) -> None:
    """All transfers of a day together, with what is held for some; the next day begins anew."""
    payer = bank.account(ANNA)
    amend(bank, payer, daily_limit_minor=30_00)
    book(bank, order(payer, TEN))
    held = reserve(bank, order(payer, TEN))

    with pytest.raises(LimitExceeded):
        book(bank, order(payer, TEN + Money(1, "EUR")))
    # What is settled counts once.
    book(bank, order(payer, TEN + TEN), hold=held)
    with pytest.raises(LimitExceeded):
        book(bank, order(payer, Money(1, "EUR")))

    bank.clock.advance(timedelta(days=1))
    book(bank, order(payer, TEN))


def test_what_is_executed_is_executed_once(bank: SeededBank) -> None:
    """The database itself keeps an origin unique in its tenant; a refused attempt leaves no trace and spoils nothing."""
    payer = bank.account(ANNA)
    first = book(bank, order(payer, TEN, origin="payment-1"))
    before = bank.balances(payer)
    held = reserve(bank, order(payer, TEN))

    with bank.database.writing() as connection:
        with pytest.raises(AlreadyBooked, match="payment-1"):
            bank.services.ledger.transfer(connection, order(payer, TEN, origin="payment-1"), bank.clock.now(), hold=held)
        bank.services.ledger.release(connection, tenant=TENANT, hold=held, now=bank.clock.now())

    assert bank.balances(payer) == before
    assert book(bank, order(payer, TEN, origin="payment-2")).entry != first.entry
    assert is_right(bank)


def test_another_tenants_origin_is_its_own(bank: SeededBank) -> None:
    """Two TPPs' payments never meet."""
    theirs = bank.account(ANNA, tenant=OTHER_TENANT)

    book(bank, order(bank.account(ANNA), TEN, origin="payment-1"))
    book(bank, order(theirs, TEN, origin="payment-1", tenant=OTHER_TENANT))


def test_a_hold_of_another_account_is_unknown(bank: SeededBank) -> None:
    """Who settles it has to be whom it reserves for."""
    held = reserve(bank, order(bank.account(JONAS), TEN))

    with pytest.raises(UnknownHold):
        book(bank, order(bank.account(ANNA), TEN), hold=held)


def test_a_refused_transfer_can_be_followed_by_another(bank: SeededBank) -> None:
    """A refusal has written nothing, so that its transaction goes on: what it would have settled is still held."""
    payer = bank.account(ANNA)
    available = bank.balances(payer).interim_available
    held = reserve(bank, order(payer, TEN))

    with bank.database.writing() as connection:
        ledger, now = bank.services.ledger, bank.clock.now()
        with pytest.raises(InsufficientFunds):
            ledger.transfer(connection, order(payer, available + TEN), now, hold=held)
        ledger.transfer(connection, order(payer, available), now, hold=held)

    assert bank.balances(payer).interim_available == Money(0, "EUR")
    assert is_right(bank)


def test_a_batch_is_one_debit_and_a_credit_for_each_payee(bank: SeededBank) -> None:
    """The payer's statement has the sum, with the number of payees; each payee's has its own amount and its payer's name."""
    payer, jonas, karl = bank.account(ANNA), bank.account(JONAS), bank.account(KARL)
    orders = [
        order(payer, TEN, creditor_iban=jonas.iban, origin="p:1"),
        order(payer, TEN + TEN, creditor_iban=karl.iban, origin="p:2"),
        order(payer, TEN, creditor_iban=jonas.iban, origin="p:3"),
        order(payer, TEN, origin="p:4"),
    ]
    before = [bank.balances(account).interim_booked for account in (payer, jonas, karl)]

    booked = book_batch(bank, orders)

    changes = [bank.balances(account).interim_booked - was for account, was in zip((payer, jonas, karl), before, strict=True)]
    assert changes == [-Money(50_00, "EUR"), TEN + TEN, TEN + TEN]
    with bank.database.reading() as connection:
        debit = SqlStatementStore().one(connection, TENANT, payer.id, booked.entry)
        credit = SqlStatementStore().one(connection, TENANT, karl.id, booked.parts[1].entry)
    assert debit is not None
    assert credit is not None
    assert (debit.amount_minor, debit.creditor_name) == (-50_00, "4 payees")
    assert (credit.amount_minor, credit.debtor_iban, credit.remittance) == (20_00, payer.iban, "Order 7")
    assert is_right(bank)


@pytest.mark.parametrize(("outside", "days"), [(True, 2), (False, 0)])
def test_a_batch_is_valued_when_the_last_of_its_transfers_is(bank: SeededBank, outside: bool, days: int) -> None:  # noqa: FBT001 - a parameter of the test
    """On a Saturday: on Monday where one leaves the bank, at once where all stay within it."""
    payer, payee = bank.account(ANNA), bank.account(JONAS)
    bank.clock.advance(timedelta(days=3))
    within = order(payer, TEN, creditor_iban=payee.iban)

    booked = book_batch(bank, [within, order(payer, TEN) if outside else within])

    with bank.database.reading() as connection:
        debit = SqlStatementStore().one(connection, TENANT, payer.id, booked.entry)
    assert debit is not None
    assert debit.booking_date is not None
    assert debit.value_date - debit.booking_date == timedelta(days=days)
    assert is_right(bank)


def test_a_batch_is_booked_whole_or_not_at_all(bank: SeededBank) -> None:
    """One payee that can't be paid is named, and nobody is."""
    payer, payee = bank.account(ANNA), bank.account(JONAS)
    amend(bank, payee, status="blocked")
    before = bank.balances(payer)

    for wrong, cause in (
        (order(payer, TEN, creditor_iban=payee.iban), BlockedAccount),
        (order(payer, TEN, creditor_iban=payer.iban), SameAccount),
    ):
        with pytest.raises(BatchRefused, match="transfer 2 of the batch") as refused:
            book_batch(bank, [order(payer, TEN), wrong])
        assert (refused.value.position, type(refused.value.cause)) == (1, cause)
    with pytest.raises(InsufficientFunds):
        book_batch(bank, [order(payer, TEN), order(payer, before.interim_available)])

    assert bank.balances(payer) == before


def test_a_batch_settles_its_holds_and_pays_its_fees_in_one(bank: SeededBank) -> None:
    """Two transfers by TARGET cost fifteen euro, booked as one."""
    payer = bank.account(ANNA)
    before = bank.balances(payer).interim_available
    orders = [order(payer, TEN, code=TARGET_2, origin=f"p:{number}") for number in range(2)]
    holds = tuple(reserve(bank, one) for one in orders)

    booked = book_batch(bank, orders, holds=holds)

    assert bank.balances(payer).interim_available == before - Money(35_00, "EUR")
    assert booked.fee_entry is not None
    assert is_right(bank)


def test_a_batch_is_one_debtors(bank: SeededBank) -> None:
    """Two debtors, or nothing at all, are the caller's mistake."""
    for orders in ([], [order(bank.account(ANNA), TEN), order(bank.account(JONAS), TEN)]):
        with pytest.raises(ValueError, match="one tenant, from one account"):
            book_batch(bank, orders)


def incoming(account: Account, amount: Money = TEN) -> IncomingTransfer:
    return IncomingTransfer(
        tenant=TENANT,
        creditor_iban=account.iban,
        amount=amount,
        debtor_name="Arbeitgeber AG",
        debtor_iban=OUTSIDE_IBAN,
        remittance="Salary",
    )


def receive(bank: SeededBank, what: IncomingTransfer) -> str:
    with bank.database.writing() as connection:
        return bank.services.ledger.receive(connection, what, bank.clock.now()).entry


def test_money_arrives_from_outside(bank: SeededBank) -> None:
    """The account has more, and its statement says from whom."""
    account = bank.account(ANNA)
    before = bank.balances(account).interim_available

    entry = receive(bank, incoming(account))

    assert bank.balances(account).interim_available == before + TEN
    with bank.database.reading() as connection:
        line = SqlStatementStore().one(connection, TENANT, account.id, entry)
    assert line is not None
    assert (line.debtor_name, line.debtor_iban, line.code) == ("Arbeitgeber AG", OUTSIDE_IBAN, "PMNT-RCDT-ESCT")
    assert is_right(bank)


def test_money_in_another_currency_is_exchanged_as_it_arrives(bank: SeededBank) -> None:
    """Dollars on a euro account are euros."""
    account = bank.account(ANNA)
    before = bank.balances(account).interim_available

    receive(bank, incoming(account, Money(100_00, "USD")))

    gained = bank.balances(account).interim_available - before
    assert 80_00 < gained.minor < 95_00
    assert is_right(bank)


def test_money_for_nobody_here_is_refused(bank: SeededBank) -> None:
    """An IBAN of another bank, or of another tenant's, has no account here."""
    for account in (bank.account(ANNA, tenant=OTHER_TENANT),):
        with pytest.raises(UnknownAccount):
            receive(bank, incoming(account))


def test_of_sub_accounts_that_share_an_iban_the_one_in_the_currency_is_credited(bank: SeededBank) -> None:
    """Else the first: a multi-currency account is paid in any of its currencies."""
    held = bank.services.accounts.accounts_of(TENANT, PsuId("lucia.moretti"))
    euros, dollars = (next(one for one in held if one.currency == currency) for currency in ("EUR", "USD"))
    amend(bank, dollars, iban=euros.iban)
    before = bank.balances(euros).interim_booked, bank.balances(dollars).interim_booked

    for currency in ("EUR", "USD", "GBP"):
        receive(bank, incoming(euros, Money(100_00, currency)))

    gained = bank.balances(euros).interim_booked - before[0], bank.balances(dollars).interim_booked - before[1]
    assert gained[0].minor > 200_00
    assert gained[1] == Money(100_00, "USD")


def test_balances_of_the_next_business_day_have_what_is_expected_by_then(bank: SeededBank) -> None:
    """`forwardAvailable` is what will be there to spend; `openingBooked` what the day before closed with."""
    account = bank.account(ANNA)
    balances = bank.balances(account)

    assert balances.opening_booked == balances.closing_booked
    assert balances.forward_date.isoformat() == "2026-11-19"
    assert balances.forward_available >= balances.interim_available
