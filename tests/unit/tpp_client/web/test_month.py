"""A month in figures: sums by day, a balance that holds until the next movement."""

from __future__ import annotations

import datetime as dt

import pytest

from psd2.money import Money
from tpp_client.accounts import Transaction
from tpp_client.web.month import Month, days_of, matching

FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 4)


def moved(day: str, minor: int, balance: int | None, name: str = "Bakery") -> Transaction:
    return Transaction(
        transaction_id=None,
        booking_date=day,
        amount=Money(minor, "EUR"),
        counterparty=name,
        remittance=None,
        balance_after=None if balance is None else Money(balance, "EUR"),
    )


# Newest first, as the bank lists them.
BOOKED = [moved("2026-11-03", -300, 1200), moved("2026-11-03", 500, 1500, "Employer"), moved("2026-11-02", -100, 1000)]


def test_days_have_sums_and_the_balance_at_their_end() -> None:
    """Before the first movement stands what it began with; a day without keeps the one before."""
    days = days_of((FIRST, LAST), BOOKED, now=None, currency="EUR")

    assert [day.incoming.minor for day in days] == [0, 0, 500, 0]
    assert [day.outgoing.minor for day in days] == [0, 100, 300, 0]
    assert [day.balance.minor if day.balance else None for day in days] == [1100, 1000, 1200, 1200]


def test_a_quiet_month_has_the_balance_of_now() -> None:
    """Where nothing moved, what is there now was there all the time."""
    days = days_of((FIRST, LAST), [], now=Money(70, "EUR"), currency="EUR")

    assert {day.balance for day in days} == {Money(70, "EUR")}


def test_without_balances_there_is_none_to_draw() -> None:
    """A consent without balances tells none after a movement either."""
    days = days_of((FIRST, LAST), [moved("2026-11-03", -300, None)], now=None, currency="EUR")

    assert {day.balance for day in days} == {None}


def test_search_looks_at_both_sides_of_a_line() -> None:
    """Without regard to case."""
    assert [one.counterparty for one in matching(BOOKED, words=" EMPLOY ", way="")] == ["Employer"]
    assert len(matching(BOOKED, words="", way="out")) == 2


@pytest.mark.parametrize("text", ["2026-00", "2026-1", "1999-12", "2026-11-01", "\N{ARABIC-INDIC DIGIT TWO}026-11", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    """Only years of this century, only ASCII."""
    with pytest.raises(ValueError, match="no month"):
        Month.parse(text)


def test_months_follow_each_other() -> None:
    """Over the turn of a year and in a leap year."""
    assert str(Month(2026, 12).after) == "2027-01"
    assert str(Month(2027, 1).before) == "2026-12"
    assert Month(2028, 2).last.day == 29
