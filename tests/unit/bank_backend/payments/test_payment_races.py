"""Who is faster does not matter: cancelled or executed, never both; executed once (BG IG 1.3.8 §5.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from psd2.money import Money
from tests.support.at_once import at_once
from tests.support.bank_core import JONAS, TENANT
from tests.support.bank_payments import TODAY, Till, entry
from tests.support.bank_sca import Tpp

if TYPE_CHECKING:
    from collections.abc import Callable

TOMORROW = TODAY + timedelta(days=1)
PRICE = Money(1250, "EUR")


@pytest.mark.parametrize("runners", [1, 3])
def test_a_payment_is_cancelled_or_executed(till: Till, runners: int) -> None:
    """DELETE and the schedule at the same moment, at a bank that needs no authorisation for it."""
    till.desk.bank.services.personalities.choose(TENANT, "lenient")
    before, path = till.available(), till.single(requestedExecutionDate=TOMORROW.isoformat())
    till.approve(path)
    till.desk.bank.clock.advance(timedelta(days=1))
    scheduler = till.desk.bank.services.scheduler

    def cancel() -> Any:
        return Tpp(till.desk.app.test_client()).delete(path).status_code

    actions: list[Callable[[], Any]] = [cancel, *[lambda: scheduler.run_due(TENANT)] * runners]
    answer, *_ = at_once(*actions)

    status, paid = till.status(path), before - till.available()
    assert (answer, status, paid) in {(204, "CANC", Money(0, "EUR")), (405, "ACSC", PRICE)}
    assert till.tasks() == 0
    assert till.is_reconciled()


def test_two_approvals_pay_once(till: Till) -> None:
    """The same visit decided twice at once."""
    before, path = till.available(), till.bulk()
    visit = till.desk.begin("pis", path.rpartition("/")[2])

    answers = at_once(*[lambda: till.desk.decide(visit).status_code] * 4)

    assert answers.count(200) == 1
    assert till.available() == before - Money(3250, "EUR")
    assert till.is_reconciled()


def test_crossing_bulks_do_not_wait_for_one_another(till: Till) -> None:
    """Each locks all its accounts in one order before it pays any."""
    other = Till(till.desk, JONAS)
    paths = [
        till.bulk(*[entry("0.01", iban=other.iban) for _ in range(20)]),
        other.bulk(*[entry("0.01", iban=till.iban) for _ in range(20)]),
    ]
    visits = [till.desk.begin("pis", path.rpartition("/")[2]) for path in paths]

    answers = at_once(
        lambda: till.desk.decide(visits[0]).status_code,
        lambda: till.desk.decide(visits[1], psu=JONAS).status_code,
    )

    assert answers == [200, 200]
    assert [till.status(path) for path in paths] == ["ACCC", "ACCC"]
    assert till.is_reconciled()
