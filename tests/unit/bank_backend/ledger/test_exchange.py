"""Currencies: rates that follow from a seed, amounts rounded half up, and entries that balance in each currency."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bank_backend.ledger.exchange import RATES, Exchange, half_up, rate_text
from bank_backend.ledger.own_accounts import OwnAccount, own_account_id
from bank_backend.ledger.products import ChargeBearer
from bank_backend.ledger.refusals import CurrencyRefused, InvalidAmount, NoRate
from bank_backend.ledger.statement_store import SqlStatementStore
from bank_backend.ledger.tables import entries, postings
from psd2.ids import PsuId
from psd2.money import Money
from tests.support.bank_core import ANNA, TENANT, SeededBank
from tests.unit.bank_backend.ledger.orders import book, is_right, order

if TYPE_CHECKING:
    from bank_backend.accounts.model import Account

DAY = date(2026, 11, 18)
currencies = st.sampled_from(["EUR", *RATES.per_euro_e8])
minors = st.integers(min_value=1, max_value=10**13)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 1, 1))


def exchange(rate_e8: int, source: str = "EUR", target: str = "USD") -> Exchange:
    return Exchange(source_currency=source, target_currency=target, rate_e8=rate_e8, quotation_date=DAY, contract="FX")


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"), [(1, 2, 1), (3, 2, 2), (4, 3, 1), (5, 3, 2), (0, 7, 0)], ids=str
)
def test_half_a_unit_counts_as_one(numerator: int, denominator: int, rounded: int) -> None:
    """As amounts in euro are rounded (Regulation (EC) 1103/97 Art. 5)."""
    assert half_up(numerator, denominator) == rounded


def test_amounts_are_exchanged_in_their_own_decimals() -> None:
    """Yen have none, Kuwaiti dinars three: a rate is between whole units."""
    assert exchange(17_250_000_000, "EUR", "JPY").bought(Money(1_00, "EUR")) == Money(173, "JPY")  # 172.5 is rounded up
    assert exchange(17_250_000_000, "EUR", "JPY").cost(Money(345, "JPY")) == Money(2_00, "EUR")
    assert exchange(35_000_000, "EUR", "KWD").bought(Money(10_00, "EUR")) == Money(3_500, "KWD")


@pytest.mark.parametrize(("rate_e8", "text"), [(108_450_000, "1.0845"), (100_000_000, "1"), (613_497, "0.00613497")], ids=str)
def test_a_rate_is_written_with_the_decimals_it_has(rate_e8: int, text: str) -> None:
    """As `exchangeRate` shows it."""
    assert rate_text(rate_e8) == text


@given(source=currencies, target=currencies, day=days)
def test_a_rate_follows_from_currencies_and_day_alone(source: str, target: str, day: date) -> None:
    """The same question has the same answer, within the swing of the middle rates, and something is given for everything."""
    first, again = (RATES.exchange(source=source, target=target, day=day) for _ in range(2))

    assert first == again
    middles = [10**8 if currency == "EUR" else RATES.per_euro_e8[currency] for currency in (source, target)]
    # Both may lie at their ends, on opposite sides.
    middle = 10**8 * middles[1] / middles[0]
    assert abs(first.rate_e8 - middle) <= middle * 0.032 + 1


def test_rates_change_from_day_to_day() -> None:
    """A week has at least five different rates."""
    week = {RATES.exchange(source="EUR", target="USD", day=date(2026, 11, day)).rate_e8 for day in range(16, 23)}

    assert len(week) >= 5


@given(minor=minors, rate_e8=st.integers(min_value=10**5, max_value=10**11))
def test_what_an_amount_costs_buys_it_within_the_smallest_units(minor: int, rate_e8: int) -> None:
    """There and back lose no more than rounding does: half a unit of one currency, seen in the other, and half of that."""
    rate = exchange(rate_e8)

    again = rate.bought(rate.cost(Money(minor, "USD")))

    assert abs(again.minor - minor) <= rate_e8 / 10**8 / 2 + 1


@pytest.fixture
def dollars(bank: SeededBank) -> Account:
    """Return an account in dollars."""
    held = bank.services.accounts.accounts_of(TENANT, PsuId("lucia.moretti"))
    return next(account for account in held if account.currency == "USD")


def test_euros_to_a_dollar_account_are_exchanged(bank: SeededBank, dollars: Account) -> None:
    """The payer gives what it said and half a percent more, the payee gets what that buys; the bank holds the difference."""
    payer = bank.account(ANNA)
    before = bank.balances(payer).interim_booked, bank.balances(dollars).interim_booked

    booked = book(bank, order(payer, Money(100_00, "EUR"), creditor_iban=dollars.iban))

    rate = RATES.exchange(source="EUR", target="USD", day=DAY)
    assert booked.charges.exchange == rate
    bought = rate.bought(Money(100_00, "EUR"))
    assert bank.balances(payer).interim_booked == before[0] - Money(100_50, "EUR")
    assert own_balance(bank, "EUR", OwnAccount.FEES) == booked.charges.conversion_fee == Money(50, "EUR")
    assert bank.balances(dollars).interim_booked == before[1] + bought
    assert own_balance(bank, "EUR", OwnAccount.EXCHANGE) == Money(100_00, "EUR")
    assert own_balance(bank, "USD", OwnAccount.EXCHANGE) == -bought
    assert is_right(bank)


def test_dollars_from_a_euro_account_cost_what_they_cost(bank: SeededBank) -> None:
    """The instructed amount arrives to the cent; the payer pays the day's price, and for the exchange."""
    payer = bank.account(ANNA)
    before = bank.balances(payer).interim_booked

    booked = book(bank, order(payer, Money(50_00, "USD")))

    cost = RATES.exchange(source="EUR", target="USD", day=DAY).cost(Money(50_00, "USD"))
    assert booked.charges.fee == booked.charges.conversion_fee == RATES.conversion_fee(cost) == Money(21, "EUR")
    assert (booked.charges.debited, booked.charges.credited) == (cost + Money(21, "EUR"), Money(50_00, "USD"))
    assert bank.balances(payer).interim_booked == before - booked.charges.debited
    assert own_balance(bank, "USD", OwnAccount.SETTLEMENT) == Money(50_00, "USD")
    assert is_right(bank)


def test_a_payee_that_bears_all_charges_bears_the_exchange_too(bank: SeededBank) -> None:
    """Of 50 dollars that is a quarter; the payer is told of nothing (ISO 20022 ChargeBearerType1Code, CRED)."""
    payer = bank.account(ANNA)

    booked = book(bank, order(payer, Money(50_00, "USD"), charge_bearer=ChargeBearer.CRED))

    assert (booked.charges.fee, booked.charges.conversion_fee) == (Money(0, "EUR"), Money(0, "EUR"))
    assert booked.charges.credited == Money(49_75, "USD")
    assert own_balance(bank, "USD", OwnAccount.FEES) == Money(25, "USD")
    assert is_right(bank)


def test_the_rate_stands_in_both_statements(bank: SeededBank, dollars: Account) -> None:
    """Kept with the entry: what later days' rates are changes nothing (BG IG 1.3.8 §14.29)."""
    payer = bank.account(ANNA)

    booked = book(bank, order(payer, Money(100_00, "EUR"), creditor_iban=dollars.iban))

    for account in (payer, dollars):
        with bank.database.reading() as connection:
            line = SqlStatementStore().one(connection, TENANT, account.id, booked.entry)
        assert line is not None
        assert line.exchange == RATES.exchange(source="EUR", target="USD", day=DAY)
        assert line.exchange is not None
        assert (line.exchange.contract, line.exchange.quotation_date) == ("FX-EURUSD-20261118", DAY)


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [(Money(100, "GBP"), CurrencyRefused), (Money(100, "XAU"), CurrencyRefused), (Money(0, "EUR"), InvalidAmount)],
    ids=str,
)
def test_a_third_currency_is_refused(bank: SeededBank, dollars: Account, amount: Money, refusal: type[Exception]) -> None:
    """From euros to dollars one instructs either, nothing else."""
    with pytest.raises(refusal):
        book(bank, order(bank.account(ANNA), amount, creditor_iban=dollars.iban))


def test_a_currency_without_rate_is_refused(bank: SeededBank) -> None:
    """Gold is not among the currencies the bank exchanges."""
    with pytest.raises(NoRate, match="does not exchange XAU"):
        book(bank, order(bank.account(ANNA), Money(100, "XAU")))


def test_what_costs_nothing_is_refused(bank: SeededBank) -> None:
    """A hundredth of a Turkish lira is a fiftieth of a cent: nothing would be taken for it."""
    with pytest.raises(InvalidAmount, match="too little"):
        book(bank, order(bank.account(ANNA), Money(1, "TRY")))


def own_balance(bank: SeededBank, currency: str, purpose: OwnAccount) -> Money:
    account_id = own_account_id(TENANT, currency, purpose)
    since = bank.clock.now().timestamp()
    statement = (
        select(func.sum(postings.c.amount_minor))
        .join(entries, entries.c.id == postings.c.entry_id)
        # What the seed has booked is not of interest.
        .where(postings.c.account_id == account_id, entries.c.at >= since)
    )
    with bank.database.reading() as connection:
        return Money(int(connection.execute(statement).scalar_one() or 0), currency)
