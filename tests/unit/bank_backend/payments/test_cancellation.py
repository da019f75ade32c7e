"""Cancelling payments: by the TPP alone before the approval, with the PSU after it, never too late (BG IG 1.3.8 §5.6, §5.7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bank_backend.schedule.model import TaskKind
from tests.support.bank_core import HELGA, JONAS, KARL, TENANT
from tests.support.bank_payments import SATURDAY, TARGET_2, TODAY, Till
from tests.support.bank_sca import refusal

TOMORROW = TODAY + timedelta(days=1)


def dated(till: Till) -> str:
    path = till.single(requestedExecutionDate=TOMORROW.isoformat())
    till.approve(path)
    return path


def held(till: Till) -> str:
    till.pass_until(SATURDAY)
    path = till.single(TARGET_2)
    till.approve(path)
    return path


def begun(till: Till) -> str:
    path = till.periodic()
    till.approve(path)
    return path


def bulk(till: Till) -> str:
    path = till.bulk(requestedExecutionDate=TOMORROW.isoformat())
    till.approve(path)
    return path


def start(till: Till, path: str) -> Any:
    """Ask for the cancellation and start its authorisation."""
    assert till.desk.tpp.delete(path).status_code == 202
    answer: Any = till.desk.tpp.post(f"{path}/cancellation-authorisations", {})
    assert answer.status_code == 201, answer.text
    return answer.json


def decide(till: Till, path: str, result: str = "APPROVED") -> None:
    till.approve(path, result=result)


def test_before_the_approval_the_tpp_is_enough(till: Till) -> None:
    """204, CANC, nothing left to approve or to expire."""
    path = till.single()

    answer = till.desk.tpp.delete(path)

    assert (answer.status_code, answer.data) == (204, b"")
    assert till.status(path) == "CANC"
    assert till.tasks() == 0
    assert refusal(till.desk.tpp.post(f"{path}/authorisations", {}))[:2] == (409, "STATUS_INVALID")


def test_cancelling_again_is_no_mistake(till: Till) -> None:
    """204: it is as the TPP wants it."""
    path = till.single()

    assert [till.desk.tpp.delete(path).status_code for _ in range(2)] == [204, 204]


@pytest.mark.parametrize("make", [dated, held, begun, bulk])
def test_after_the_approval_the_psu_has_to_agree(till: Till, make: Any) -> None:
    """202 with the link to start the cancellation's authorisation; nothing is cancelled yet."""
    path = make(till)
    status = till.status(path)

    answer: Any = till.desk.tpp.delete(path)

    assert answer.status_code == 202
    assert answer.json["transactionStatus"] == status == till.status(path)
    assert answer.json["_links"]["startAuthorisation"] == {"href": f"{path}/cancellation-authorisations"}
    assert till.desk.tpp.get(f"{path}/cancellation-authorisations").json == {"authorisationIds": []}


@pytest.mark.parametrize("make", [dated, held, begun, bulk])
def test_once_the_psu_agrees_nothing_is_paid_any_more(till: Till, make: Any) -> None:
    """CANC, the reserved money is free, the schedule is empty."""
    path = make(till)
    authorisation = start(till, path)["authorisationId"]

    decide(till, path)

    assert till.status(path) == "CANC"
    assert till.tasks() == 0
    after = till.available()
    status: Any = till.desk.tpp.get(f"{path}/cancellation-authorisations/{authorisation}").json
    assert status["scaStatus"] == "finalised"
    till.pass_time(timedelta(days=40))
    assert till.available() == after
    assert till.is_reconciled()


def test_a_hold_is_given_back(till: Till) -> None:
    """What was promised to a payment is the PSU's again."""
    till.pass_until(SATURDAY)
    before = till.available()
    path = till.single(TARGET_2)
    till.approve(path)
    assert till.available() < before
    start(till, path)

    decide(till, path)

    assert till.available() == before


def test_a_cancelled_bulk_tells_that_no_part_of_it_is_made(till: Till) -> None:
    """Each payment is CANC as the whole is."""
    till.pass_until(SATURDAY)
    path = till.bulk(product=TARGET_2)
    till.approve(path)
    start(till, path)

    decide(till, path)

    assert [each["transactionStatus"] for each in till.information(path)["payments"]] == ["CANC", "CANC"]


def test_a_task_that_is_left_over_does_nothing(till: Till) -> None:
    """Were one to run after the cancellation, it finds a payment that is over, and goes."""
    path = dated(till)
    start(till, path)
    decide(till, path)
    before = till.available()
    with till.desk.bank.database.writing() as connection:
        till.desk.bank.services.schedule.add(
            connection,
            tenant=TENANT,
            kind=TaskKind.EXECUTE_PAYMENT,
            resource=path.rpartition("/")[2],
            due=till.desk.bank.services.clock.now(TENANT, connection),
        )

    till.pass_time(timedelta(minutes=1))

    assert (till.status(path), till.tasks(), till.available()) == ("CANC", 0, before)


def test_a_refused_cancellation_leaves_the_payment(till: Till) -> None:
    """It is made on its day."""
    path = dated(till)
    start(till, path)

    decide(till, path, "REJECTED")

    assert till.status(path) == "ACTC"
    till.pass_until(TOMORROW)
    assert till.status(path) == "ACSC"


def test_what_has_been_paid_stays_paid(till: Till) -> None:
    """405 CANCELLATION_INVALID, and no authorisation is started for it."""
    path = till.single()
    till.approve(path)

    assert refusal(till.desk.tpp.delete(path)) == (405, "CANCELLATION_INVALID", None)
    assert refusal(till.desk.tpp.post(f"{path}/cancellation-authorisations", {}))[:2] == (409, "STATUS_INVALID")


def test_the_psu_can_be_too_late(till: Till) -> None:
    """The payment was made while its cancellation waited: nothing is decided any more."""
    path = dated(till)
    start(till, path)
    till.pass_until(TOMORROW)

    begun_again = till.desk.internal(
        "POST",
        "/internal/interactions",
        {
            "tenant": TENANT,
            "kind": "pis",
            "resource": path.rpartition("/")[2],
            "client_id": TENANT,
            "client_name": "Fintech App",
            "return_url": "https://localhost:8441/authorize/resume/x",
        },
    )

    assert begun_again.status_code == 409
    assert till.status(path) == "ACSC"


def test_only_the_payer_can_agree(till: Till) -> None:
    """Another PSU of the bank does not hold the account."""
    path = dated(till)
    start(till, path)

    answer = till.desk.decide(till.desk.begin("pis", path.rpartition("/")[2]), psu=JONAS)

    assert answer.status_code == 422
    assert till.status(path) == "ACTC"


def test_a_bank_may_do_without_the_psu(till: Till) -> None:
    """A personality that needs no authorisation answers 204 at once."""
    till.desk.bank.services.personalities.choose(TENANT, "lenient")
    path = dated(till)

    assert till.desk.tpp.delete(path).status_code == 204
    assert till.status(path) == "CANC"


def test_a_standing_order_keeps_what_it_has_paid(till: Till) -> None:
    """Cancelled after its first payment, it is CANC and tells what it did."""
    path = begun(till)
    start(till, path)
    decide(till, path)

    told = till.information(path)

    assert [each["transactionStatus"] for each in told["executions"]] == ["ACSC"]
    assert "nextExecutionDate" not in told
    till.pass_until(date(2027, 1, 31))
    assert len(till.information(path)["executions"]) == 1


def two_signatures(till: Till) -> None:
    """Have Karl and Helga, who share an account, both sign for it."""
    till.set_account(KARL, signatures_required=2)


@pytest.mark.parametrize("batch", [False, True])
def test_two_have_to_sign_where_the_account_wants_it(till: Till, batch: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """PATC after the first, executed with the second (BG IG §5.8, §14.13)."""
    family = Till(till.desk, KARL)
    two_signatures(family)
    before = family.available()
    path = family.bulk(batchBookingPreferred=batch)

    family.approve(path)
    assert (family.status(path), family.available()) == ("PATC", before)
    family.approve(path, psu=HELGA)

    assert family.status(path) == "ACSC"
    assert family.available() < before


def test_one_signature_is_not_enough_in_time(till: Till) -> None:
    """PATC ends as RCVD does: rejected a day later."""
    family = Till(till.desk, KARL)
    two_signatures(family)
    path = family.single()
    family.approve(path)

    family.pass_time(timedelta(hours=25))

    assert family.status_body(path)["reasonCode"] == "TM01"


def test_the_second_may_refuse(till: Till) -> None:
    """Then nothing is paid."""
    family = Till(till.desk, KARL)
    two_signatures(family)
    path = family.single()
    family.approve(path)

    family.approve(path, psu=HELGA, result="REJECTED")

    assert family.status_body(path)["reasonCode"] == "CUST"


def test_what_one_has_signed_the_tpp_can_still_withdraw(till: Till) -> None:
    """204: not everybody has approved."""
    family = Till(till.desk, KARL)
    two_signatures(family)
    path = family.single()
    family.approve(path)

    assert till.desk.tpp.delete(path).status_code == 204
