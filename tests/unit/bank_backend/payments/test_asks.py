"""What a PSU is asked about payments: every amount, payee and day stands in what its code is bound to (RTS 2018/389 Art. 5)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.authorisations.model import ResourceKind
from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_payments import PAYEES, TODAY, Till, entry

if TYPE_CHECKING:
    from bank_backend.authorisations.asks import Ask

TOMORROW = TODAY + timedelta(days=1)


def ask(till: Till, path: str, kind: ResourceKind = ResourceKind.PIS) -> Ask:
    with till.desk.bank.database.writing() as connection:
        found = till.desk.bank.services.authorising.signing.ask_of(
            connection, tenant=TENANT, kind=kind, resource=path.rpartition("/")[2]
        )
    assert found is not None
    return found


def statement(till: Till, path: str, kind: ResourceKind = ResourceKind.PIS) -> str:
    return ask(till, path, kind).statement("Fintech App", [till.desk.bank.account(ANNA)])


def lines(till: Till, path: str, kind: ResourceKind = ResourceKind.PIS) -> list[tuple[str, str, str]]:
    wording = ask(till, path, kind).wording("Fintech App", [till.desk.bank.account(ANNA)])
    return [(line.term, line.text, line.detail) for line in wording.lines]


def test_a_bulk_names_count_sum_and_each_payee(till: Till) -> None:
    """In the statement that the code is bound to, and on the page."""
    path = till.bulk(entry("10.00"), entry("20.50", iban=PAYEES[1], creditorName="Électricité"))

    said = statement(till, path)

    assert "30.50 EUR in 2 payments" in said
    assert "10.00 EUR to Buchhandlung am Markt, DE02 1001 0010 9307 1186 03" in said
    assert "20.50 EUR to Électricité, FR76 3000 6000 0112 3456 7890 189" in said
    assert ("In all", "30.50 EUR in 2 payments", "") in lines(till, path)
    assert ask(till, path).wording("Fintech App", []).confirm == "Pay 30.50 EUR"


def test_sums_are_told_for_each_currency(till: Till) -> None:
    """Dollars and euros are not added up."""
    abroad = {"remittanceInformationUnstructured": "x"}
    path = till.bulk(entry("10.00", **abroad), entry("5.00", currency="USD", **abroad), product="cross-border-credit-transfers")

    assert "10.00 EUR and 5.00 USD in 2 payments" in statement(till, path)
    assert ask(till, path).wording("Fintech App", []).total is None


def test_more_payees_than_anybody_reads_are_told_by_number(till: Till) -> None:
    """And the code is bound to them all the same: another 25th payee makes another statement."""
    entries = [entry("1.00") for _ in range(25)]
    first = till.bulk(*entries)
    second = till.bulk(*entries[:-1], entry("1.00", iban=PAYEES[2]))

    shown = lines(till, first)

    assert len([line for line in shown if line[0] == "To"]) == 20
    assert any(line[:2] == ("And", "5 more") for line in shown)
    assert statement(till, first) != statement(till, second)


@pytest.mark.parametrize(
    "change",
    [
        {"instructedAmount": {"currency": "EUR", "amount": "12.51"}},
        {"creditorName": "Somebody else"},
        {"creditorAccount": {"iban": PAYEES[1]}},
        {"frequency": "Weekly"},
        {"startDate": "2026-11-19"},
        {"endDate": "2027-11-18"},
        {"executionRule": "preceding"},
        {"dayOfExecution": "15"},
    ],
)
def test_every_part_of_a_standing_order_is_bound(till: Till, change: dict[str, Any]) -> None:
    """A code for the one does not approve the other."""
    assert statement(till, till.periodic()) != statement(till, till.periodic(**change))


def test_a_standing_order_names_its_days(till: Till) -> None:
    """The first ones and the last, as they will be executed."""
    shown = dict(line[:2] for line in lines(till, till.periodic(dayOfExecution="28", endDate="2027-01-31")))

    assert shown["How often"] == "every month on day 28, moved to the following business day"
    assert shown["First days"] == "30 November 2026, 28 December 2026 and 28 January 2027"
    assert shown["Last day"] == "28 January 2027"


def test_an_endless_order_says_so(till: Till) -> None:
    """There is no last day."""
    shown = dict(line[:2] for line in lines(till, till.periodic()))

    assert shown["Last day"] == "Until you end it"


def test_a_payment_of_another_day_names_it(till: Till) -> None:
    """Not "at once"."""
    path = till.single(requestedExecutionDate=TOMORROW.isoformat())

    assert statement(till, path).endswith("on 19 November 2026")
    assert ("When", "19 November 2026", "") in lines(till, path)


def test_a_cancellation_names_what_is_cancelled(till: Till) -> None:
    """Amount, payee and day."""
    path = till.single(requestedExecutionDate=TOMORROW.isoformat())
    till.approve(path)

    said = statement(till, path, ResourceKind.CANCELLATION)

    assert said.startswith("you cancel this: you pay 12.50 EUR to Buchhandlung am Markt")
    assert ("Amount", "12.50 EUR", "") in lines(till, path, ResourceKind.CANCELLATION)
    assert said != statement(till, till.single(requestedExecutionDate=TOMORROW.isoformat()))
