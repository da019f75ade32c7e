"""What a transfer costs and when it counts: by product, by who bears the charges, by the day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bank_backend.ledger.calendar import business_day, easter_sunday, is_business_day, next_business_day
from bank_backend.ledger.exchange import RATES
from bank_backend.ledger.own_accounts import OwnAccount
from bank_backend.ledger.products import PRODUCTS, ChargeBearer, product_of
from bank_backend.ledger.refusals import InsufficientFunds, InvalidAmount
from bank_backend.ledger.statement_store import SqlStatementStore
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, TENANT, SeededBank
from tests.unit.bank_backend.ledger.orders import book, is_right, order
from tests.unit.bank_backend.ledger.test_exchange import own_balance

TARGET_2, CROSS_BORDER = PRODUCTS["target-2-payments"].code, PRODUCTS["cross-border-credit-transfers"].code
INSTANT, SEPA = PRODUCTS["instant-sepa-credit-transfers"].code, PRODUCTS["sepa-credit-transfers"].code


@pytest.mark.parametrize(
    ("bearer", "debited", "credited"),
    [
        (ChargeBearer.DEBT, 110_00, 100_00),
        (ChargeBearer.SHAR, 107_50, 97_50),
        (ChargeBearer.SLEV, 107_50, 97_50),
        (ChargeBearer.CRED, 100_00, 90_00),
    ],
)
def test_charges_are_borne_by_whom_the_order_says(bank: SeededBank, bearer: ChargeBearer, debited: int, credited: int) -> None:
    """7.50 for sending and 2.50 for receiving 100.00 by TARGET; all of it is the bank's income."""
    payer, payee = bank.account(ANNA), bank.account(JONAS)
    before = bank.balances(payer).interim_booked, bank.balances(payee).interim_booked

    booked = book(bank, order(payer, Money(100_00, "EUR"), creditor_iban=payee.iban, code=TARGET_2, charge_bearer=bearer))

    assert (booked.charges.debited.minor, booked.charges.credited.minor) == (debited, credited)
    assert bank.balances(payer).interim_booked == before[0] - Money(debited, "EUR")
    assert bank.balances(payee).interim_booked == before[1] + Money(credited, "EUR")
    assert own_balance(bank, "EUR", OwnAccount.FEES) == Money(10_00, "EUR")
    assert is_right(bank)


def test_the_debtors_fee_is_a_movement_of_its_own(bank: SeededBank) -> None:
    """The statement shows what was paid and what that cost apart."""
    payer = bank.account(ANNA)

    booked = book(bank, order(payer, Money(100_00, "EUR"), code=TARGET_2))

    assert booked.fee_entry is not None
    with bank.database.reading() as connection:
        paid, fee = (SqlStatementStore().one(connection, TENANT, payer.id, entry) for entry in (booked.entry, booked.fee_entry))
    assert paid is not None
    assert fee is not None
    assert (paid.amount_minor, fee.amount_minor) == (-100_00, -7_50)
    assert (fee.code, fee.creditor_name) == ("PMNT-MDOP-CHRG", "Bank charges")


@pytest.mark.parametrize("code", [SEPA, INSTANT])
def test_sepa_transfers_are_free(bank: SeededBank, code: str) -> None:
    """The instant one no dearer than the other (Regulation (EU) 2024/886)."""
    booked = book(bank, order(bank.account(ANNA), Money(100_00, "EUR"), code=code))

    assert booked.fee_entry is None
    assert booked.charges.debited == booked.charges.credited == Money(100_00, "EUR")


@pytest.mark.parametrize(("minor", "fee"), [(100_00, 5_00), (10_000_00, 15_00), (50_000_00, 50_00)], ids=str)
def test_a_fee_by_amount_has_a_least_and_a_most(minor: int, fee: int) -> None:
    """0.15 % of what is sent abroad, from 5 to 50 euro."""
    assert product_of(CROSS_BORDER).sending.on(Money(minor, "EUR")) == Money(fee, "EUR")


def test_fees_are_taken_in_each_sides_currency(bank: SeededBank) -> None:
    """50 dollars abroad from a euro account, shared: 5 euro and the exchange here, six euro's worth of dollars there."""
    rate = RATES.exchange(source="EUR", target="USD", day=date(2026, 11, 18))
    charges_due = rate.bought(Money(6_00, "EUR"))

    booked = book(bank, order(bank.account(ANNA), Money(50_00, "USD"), code=CROSS_BORDER, charge_bearer=ChargeBearer.SHAR))

    assert booked.charges.fee == Money(5_00, "EUR") + RATES.conversion_fee(rate.cost(Money(50_00, "USD")))
    assert booked.charges.creditor_fee == charges_due
    assert booked.charges.credited == Money(50_00, "USD") - charges_due
    assert is_right(bank)


def test_charges_that_eat_the_amount_up_are_refused(bank: SeededBank) -> None:
    """A payee is never charged more than he gets."""
    with pytest.raises(InvalidAmount):
        book(bank, order(bank.account(ANNA), Money(10_00, "EUR"), code=TARGET_2, charge_bearer=ChargeBearer.CRED))


def test_funds_have_to_cover_the_fee(bank: SeededBank) -> None:
    """What is available without the fee's last cent is not enough, and nothing is booked."""
    payer = bank.account(ANNA)
    before = bank.balances(payer)
    enough = before.interim_available - Money(7_50, "EUR")

    with pytest.raises(InsufficientFunds) as refusal:
        book(bank, order(payer, enough + Money(1, "EUR"), code=TARGET_2))

    assert refusal.value.needed == before.interim_available + Money(1, "EUR")
    assert bank.balances(payer) == before
    assert book(bank, order(payer, enough, code=TARGET_2)).charges.debited == before.interim_available


def test_a_quote_is_what_is_booked(bank: SeededBank) -> None:
    """Asked before, in a transaction that only reads, and whether or not the funds suffice."""
    wanted = order(bank.account(ANNA), Money(50_00, "USD"), code=CROSS_BORDER)
    with bank.database.reading() as connection:
        quoted = bank.services.ledger.quote(connection, wanted, bank.clock.now())
        bank.services.ledger.quote(connection, order(bank.account(ANNA), Money(10**13, "EUR")), bank.clock.now())

    assert book(bank, wanted).charges == quoted


@pytest.mark.parametrize(
    ("code", "at", "value_date"),
    [
        (SEPA, datetime(2026, 11, 18, 15, 30, tzinfo=UTC), date(2026, 11, 18)),
        (SEPA, datetime(2026, 11, 18, 15, 30, 1, tzinfo=UTC), date(2026, 11, 19)),
        (SEPA, datetime(2026, 11, 21, 9, 0, tzinfo=UTC), date(2026, 11, 23)),
        (SEPA, datetime(2026, 12, 24, 16, 0, tzinfo=UTC), date(2026, 12, 28)),
        (INSTANT, datetime(2026, 11, 21, 23, 59, tzinfo=UTC), date(2026, 11, 21)),
        (TARGET_2, datetime(2027, 3, 25, 17, 0, tzinfo=UTC), date(2027, 3, 30)),
    ],
    ids=["in time", "a second late", "on a Saturday", "before Christmas", "instant", "before Easter"],
)
def test_the_value_date_is_the_business_day_it_counts_from(bank: SeededBank, code: str, at: datetime, value_date: date) -> None:
    """By the product's cut-off and the days on which banks settle; booked it is at once."""
    booked = book(bank, order(bank.account(ANNA), Money(100_00, "EUR"), code=code), now=at)

    assert (booked.booking_date, booked.value_date) == (at.date(), value_date)


def test_within_the_bank_money_counts_at_once(bank: SeededBank) -> None:
    """On a Sunday too: no other bank has to be open (PSD2 Art. 87)."""
    sunday = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)

    booked = book(bank, order(bank.account(ANNA), Money(1_00, "EUR"), creditor_iban=bank.account(JONAS).iban), now=sunday)

    assert booked.value_date == sunday.date()


@pytest.mark.parametrize(
    ("year", "month", "day"), [(1961, 4, 2), (2000, 4, 23), (2024, 3, 31), (2026, 4, 5), (2038, 4, 25)], ids=str
)
def test_easter_sunday(year: int, month: int, day: int) -> None:
    """As tables of feast days have it."""
    assert easter_sunday(year) == date(year, month, day)


def test_business_days() -> None:
    """No weekends, no closing days of TARGET; the next one is never the same."""
    assert not any(
        is_business_day(date(2026, month, day)) for month, day in ((1, 1), (4, 3), (4, 6), (5, 1), (12, 25), (11, 21))
    )
    assert business_day(date(2026, 12, 25)) == date(2026, 12, 28)
    assert business_day(date(2026, 11, 18)) == date(2026, 11, 18)
    assert next_business_day(date(2026, 11, 18)) == date(2026, 11, 19)


def test_a_code_of_no_product_is_a_mistake() -> None:
    """It is the caller's, not the payer's."""
    with pytest.raises(ValueError, match="is the code of no payment product"):
        product_of("PMNT-CCRD-POSD")
