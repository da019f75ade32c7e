"""Bulks: each payment has its own outcome, the whole the status that these give (BG IG 1.3.8 §4.14.1, §5.3.3, §11.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.support.bank_payments import PAYEES, SATURDAY, TARGET_2, TODAY, Till, entry

MUCH = "9999999.00"


def outcomes(till: Till, path: str) -> list[tuple[str, str | None]]:
    entries: list[dict[str, Any]] = till.information(path)["payments"]
    return [(each["transactionStatus"], each.get("reasonCode")) for each in entries]


def booked(till: Till) -> int:
    """Return how many entries the books have."""
    with till.desk.bank.database.reading() as connection:
        found = till.desk.bank.services.ledger.reconcile(connection)
    return int(found.entries)


@pytest.mark.parametrize("batch", [None, False, True])
def test_all_payments_are_made(till: Till, batch: bool | None) -> None:  # noqa: FBT001 - a parameter of the test
    """ACSC, and the account pays the sum, in one booking or in several."""
    before = till.available()
    wish: dict[str, Any] = {} if batch is None else {"batchBookingPreferred": batch}
    path = till.bulk(entry("10.00"), entry("20.00", iban=PAYEES[1]), **wish)

    assert till.approved(path) == "ACSC"

    assert outcomes(till, path) == [("ACSC", None), ("ACSC", None)]
    assert till.available() == before - Money(3000, "EUR")
    assert till.is_reconciled()


def test_a_batch_is_one_debit_and_a_credit_for_each_payee(till: Till) -> None:
    """batchBookingPreferred: the payer's statement has one line for both."""
    separate, batch = (
        till.bulk(entry("1.00"), entry("2.00")),
        till.bulk(entry("1.00"), entry("2.00"), batchBookingPreferred=True),
    )
    account = till.desk.bank.account(ANNA)

    def lines() -> int:
        with till.desk.bank.database.writing() as connection:
            locked = till.desk.bank.services.ledger._store.lock(connection, TENANT, [account.id])
        return locked[0].position.number

    start = lines()
    till.approve(separate)
    after_separate = lines()
    till.approve(batch)

    assert (after_separate - start, lines() - after_separate) == (2, 1)


@pytest.mark.parametrize("batch", [False, True])
def test_the_payer_finds_each_payment_in_the_statement(till: Till, batch: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """`transactionId` names a movement of the debtor's account: of a batch the one debit."""
    path = till.bulk(entry("1.00"), entry("2.00", iban=till.desk.iban(JONAS)), batchBookingPreferred=batch)
    till.approve(path)
    account = till.desk.bank.account(ANNA)

    told = [each["transactionId"] for each in till.information(path)["payments"]]

    consent = till.desk.approved_consent()
    for transaction in told:
        address = f"/v1/accounts/{account.id}/transactions/{transaction}"
        assert till.desk.reader(consent).get(address, Consent_ID=consent).status_code == 200
    assert len(set(told)) == (1 if batch else 2)


@pytest.mark.parametrize("batch", [False, True])
def test_what_can_not_be_made_takes_nothing_else_down(till: Till, batch: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """PART: the payee at this bank that is blocked gets nothing, the others are paid (BG IG §4.14.1)."""
    till.set_account(JONAS, status="blocked")
    before = till.available()
    path = till.bulk(entry("10.00"), entry("20.00", iban=till.desk.iban(JONAS)), entry("5.00"), batchBookingPreferred=batch)

    assert till.approved(path) == "PART"

    assert outcomes(till, path) == [("ACSC", None), ("RJCT", "AC06"), ("ACSC", None)]
    assert till.status_body(path)["psuMessage"] == "2 of 3 payments were made, 1 could not be"
    assert till.available() == before - Money(1500, "EUR")
    assert till.is_reconciled()


def test_where_nothing_can_be_made_the_whole_is_rejected(till: Till) -> None:
    """RJCT with the first reason."""
    till.set_account(JONAS, status="blocked")
    path = till.bulk(entry(MUCH), entry("1.00", iban=till.desk.iban(JONAS)), batchBookingPreferred=True)

    till.approve(path)

    body = till.status_body(path)
    assert (body["transactionStatus"], body["reasonCode"]) == ("RJCT", "AM04")


def test_all_payees_at_this_bank_have_their_money(till: Till) -> None:
    """ACCC only where it is true of every payment."""
    here, elsewhere = entry("1.00", iban=till.desk.iban(JONAS)), entry("1.00")

    assert till.approved(till.bulk(here, here)) == "ACCC"
    assert till.approved(till.bulk(here, elsewhere)) == "ACSC"


def test_a_bulk_of_one_is_a_bulk(till: Till) -> None:
    """And is told as one."""
    path = till.bulk(entry("1.00"))

    assert len(till.information(path)["payments"]) == 1


def test_a_bulk_of_another_day_is_executed_on_it(till: Till) -> None:
    """`requestedExecutionDate` holds for all."""
    before, path = till.available(), till.bulk(requestedExecutionDate=(TODAY + timedelta(days=2)).isoformat())

    assert till.approved(path) == "ACTC"
    assert till.available() == before
    till.pass_until(TODAY + timedelta(days=2))

    assert till.status(path) == "ACSC"


def test_a_bulk_of_a_moment_is_executed_at_it(till: Till) -> None:
    """`requestedExecutionTime`: not before, and right then (BG IG §11.3)."""
    path = till.bulk(requestedExecutionTime="2026-11-18T14:00:00+01:00")
    till.approve(path)

    till.pass_time(timedelta(hours=2))
    assert till.status(path) == "ACTC"
    till.pass_time(timedelta(hours=1))

    assert till.status(path) == "ACSC"


def test_a_bulk_that_waits_for_a_business_day_holds_each_payment(till: Till) -> None:
    """One that is not covered is rejected at once; the hold of the other becomes its booking."""
    till.pass_until(SATURDAY)
    before = till.available()
    path = till.bulk(entry("10.00"), entry(MUCH), product=TARGET_2)

    assert till.approved(path) == "ACSP"
    assert outcomes(till, path) == [("ACSP", None), ("RJCT", "AM04")]
    held = before - till.available()
    till.pass_time(timedelta(days=3))

    assert till.status(path) == "PART"
    assert outcomes(till, path) == [("ACSC", None), ("RJCT", "AM04")]
    assert till.available() == before - held
    assert till.is_reconciled()


def test_a_bulk_may_wait_for_the_funds_of_some(till: Till) -> None:
    """What is covered is made; what is not is tried until the day ends, and nothing is made twice."""
    before = till.available()
    body = till.bulk_body(entry("10.00"), entry(MUCH))
    path = till.initiated("bulk-payments", "sepa-credit-transfers", body, TPP_Rejection_NoFunds_Preferred="false")

    assert till.approved(path) == "PDNG"
    till.pass_time(timedelta(hours=5))
    assert outcomes(till, path) == [("ACSC", None), ("PDNG", "AM04")]
    till.pass_time(timedelta(days=1))

    assert till.status(path) == "PART"
    assert outcomes(till, path) == [("ACSC", None), ("RJCT", "AM04")]
    assert till.available() == before - Money(1000, "EUR")


def test_two_hundred_payments_are_made_in_one_approval(till: Till) -> None:
    """The most that a bulk may have."""
    count = booked(till)
    path = till.bulk(*[entry("0.01", endToEndIdentification=f"E2E-{place}") for place in range(200)])

    assert till.approved(path) == "ACSC"

    assert booked(till) == count + 200
    assert till.is_reconciled()


def test_estimates_are_of_the_whole(till: Till) -> None:
    """`estimatedTotalAmount` is what the account pays for all of them."""
    answer: Any = till.post("bulk-payments", TARGET_2, till.bulk_body(entry("10.00"), entry("20.00"))).json

    fees, total = (Money.parse(answer[name]["amount"], "EUR") for name in ("transactionFees", "estimatedTotalAmount"))
    assert fees.minor > 0
    assert total == Money(3000, "EUR") + fees
