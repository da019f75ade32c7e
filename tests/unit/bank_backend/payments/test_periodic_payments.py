"""Standing orders: made day by day as their calendar says, each day once, whatever happens to one (BG IG 1.3.8 §5.3.4)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from psd2.money import Money
from tests.support.bank_core import JONAS, TENANT
from tests.support.bank_payments import INSTANT, SEPA, TODAY, Till

PRICE = Money(1250, "EUR")


def days(till: Till, path: str) -> list[tuple[str, str]]:
    told: list[dict[str, Any]] = till.information(path).get("executions", [])
    return [(each["executionDate"], each["transactionStatus"]) for each in told]


def test_an_order_that_begins_today_pays_today_and_then_each_month(till: Till) -> None:
    """ACSP from the first payment on; each month one more, on a business day."""
    before, path = till.available(), till.periodic(dayOfExecution="18")

    assert till.approved(path) == "ACSP"
    till.pass_until(date(2027, 1, 31))

    assert days(till, path) == [("2026-11-18", "ACSC"), ("2026-12-18", "ACSC"), ("2027-01-18", "ACSC")]
    assert till.available() == before - PRICE - PRICE - PRICE
    assert till.information(path)["nextExecutionDate"] == "2027-02-18"
    assert till.is_reconciled()


def test_an_order_that_begins_later_rests_until_then(till: Till) -> None:
    """ACTC before its first day."""
    before, path = till.available(), till.periodic(startDate="2026-12-01")

    assert till.approved(path) == "ACTC"
    assert till.information(path)["nextExecutionDate"] == "2026-12-01"
    till.pass_until(date(2026, 11, 30))
    assert till.available() == before
    till.pass_until(date(2026, 12, 1))

    assert till.status(path) == "ACSP"


def test_an_order_ends_with_its_last_day(till: Till) -> None:
    """ACSC after the last payment, and none after that."""
    path = till.periodic(endDate="2026-12-31", dayOfExecution="31")
    till.approve(path)

    till.pass_until(date(2027, 3, 1))

    assert days(till, path) == [("2026-11-30", "ACSC"), ("2026-12-31", "ACSC")]
    assert till.status(path) == "ACSC"
    assert till.tasks() == 0


def test_a_closing_day_moves_the_payment(till: Till) -> None:
    """Saturday 28 November: the Friday before, or the Monday after."""
    preceding = till.periodic(dayOfExecution="28", executionRule="preceding")
    following = till.periodic(dayOfExecution="28", executionRule="following")
    for path in (preceding, following):
        till.approve(path)

    till.pass_until(date(2026, 12, 5))

    assert (days(till, preceding), days(till, following)) == ([("2026-11-27", "ACSC")], [("2026-11-30", "ACSC")])


def test_instant_payments_are_made_on_sundays_too(till: Till) -> None:
    """Without a rule they stay where they fall."""
    path = till.periodic(product=INSTANT, startDate="2026-11-21", frequency="Daily", endDate="2026-11-23")
    till.approve(path)

    till.pass_until(date(2026, 11, 24))

    assert days(till, path) == [("2026-11-21", "ACCC"), ("2026-11-22", "ACCC"), ("2026-11-23", "ACCC")]
    assert till.status(path) == "ACCC"


def test_a_payment_without_funds_is_left_out_and_recorded(till: Till) -> None:
    """The order goes on: when there is money again it pays again, and never makes up for what was left out."""
    spare = till.available() - Money(2000, "EUR")
    path = till.periodic(frequency="Weekly", endDate="2026-12-03")
    till.approve(till.single(instructedAmount={"currency": "EUR", "amount": spare.decimal}))
    till.approve(path)

    till.pass_until(TODAY + timedelta(days=8))
    assert days(till, path) == [("2026-11-18", "ACSC"), ("2026-11-25", "RJCT")]
    assert till.information(path)["executions"][1]["reasonCode"] == "AM04"
    payer = Till(till.desk, JONAS)
    payer.approve(payer.single(creditorAccount={"iban": till.iban}))
    till.pass_until(date(2026, 12, 5))

    assert days(till, path)[2:] == [("2026-12-02", "ACSC")]
    assert till.status(path) == "ACSC"


def test_an_order_that_never_paid_is_rejected_in_the_end(till: Till) -> None:
    """With the reason of its last attempt."""
    much: dict[str, Any] = {"instructedAmount": {"currency": "EUR", "amount": "9999999.00"}}
    path = till.periodic(frequency="Weekly", endDate="2026-11-26", **much)
    till.approve(path)

    till.pass_until(date(2026, 12, 1))

    body = till.status_body(path)
    assert (body["transactionStatus"], body["reasonCode"]) == ("RJCT", "AM04")


def test_what_was_due_before_the_approval_is_not_made_up_for(till: Till) -> None:
    """Approved a day late, a daily order begins on that day."""
    path = till.periodic(frequency="Daily", endDate="2026-11-20")
    till.pass_time(timedelta(hours=20))

    till.approve(path)
    till.pass_until(date(2026, 11, 21))

    assert days(till, path) == [("2026-11-19", "ACSC"), ("2026-11-20", "ACSC")]


def test_an_order_that_is_approved_after_its_end_is_rejected(till: Till) -> None:
    """Nothing is left to be paid."""
    path = till.periodic(frequency="Daily", endDate=TODAY.isoformat())
    till.pass_time(timedelta(hours=20))

    till.approve(path)

    assert till.status_body(path)["reasonCode"] == "DT01"


def test_years_that_pass_at_once_pay_every_month_once(till: Till) -> None:
    """A clock that is put forward by two years."""
    before = till.available()
    path = till.periodic(instructedAmount={"currency": "EUR", "amount": "0.01"}, endDate="2028-10-31")
    till.approve(path)

    till.pass_until(date(2028, 11, 30))

    assert len(days(till, path)) == 24
    assert till.available() == before - Money(24, "EUR")
    assert till.status(path) == "ACSC"


def test_two_runners_pay_once(till: Till) -> None:
    """Whoever comes second finds nothing to do."""
    before, path = till.available(), till.periodic(startDate="2026-11-19", endDate="2026-11-20", frequency="Daily")
    till.approve(path)
    till.desk.bank.clock.advance(timedelta(days=1))

    for _ in range(3):
        till.desk.bank.services.scheduler.run_due(TENANT)
        till.desk.bank.services.scheduler.run_pass()

    assert till.available() == before - PRICE


def test_an_order_reads_back_as_it_was_sent(till: Till) -> None:
    """With the calendar as the bank understood it."""
    sent = till.periodic_body(endDate="2027-11-18", dayOfExecution="15", executionRule="preceding")
    path = till.initiated("periodic-payments", SEPA, sent)

    assert till.information(path) == sent | {"transactionStatus": "RCVD"}


def test_chosen_months_are_told_again(till: Till) -> None:
    """MonthlyVariable with its months."""
    sent = till.periodic_body(frequency="MonthlyVariable", monthsOfExecution=["10", "4", "1"])
    path = till.initiated("periodic-payments", SEPA, sent)

    assert till.information(path)["monthsOfExecution"] == ["1", "4", "10"]
