"""One request is one payment, of every service and product, however often and however fast it comes (BG IG 1.3.8 §4.12)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from bank_backend.payments.store import payments
from tests.support.at_once import at_once
from tests.support.bank_payments import BULK, CROSS_BORDER, INSTANT, PERIODIC, SEPA, SINGLE, TARGET_2, TODAY, Till, entry
from tests.support.bank_sca import Tpp, payment_body, refusal

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk

KINDS = [(service, product) for service in (SINGLE, BULK, PERIODIC) for product in (SEPA, INSTANT, TARGET_2, CROSS_BORDER)]


def body(till: Till, service: str) -> dict[str, Any]:
    bodies = {SINGLE: payment_body(till.iban), BULK: till.bulk_body(), PERIODIC: till.periodic_body()}
    return bodies[service]


def count(desk: BankDesk) -> int:
    with desk.bank.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(payments)).scalar_one())


@pytest.mark.parametrize(("service", "product"), KINDS)
def test_a_repeated_request_answers_the_same_payment(till: Till, service: str, product: str) -> None:
    """And one whose body differs is refused, as is the same body for another service."""
    headers = {"X_Request_ID": str(uuid.uuid4())}
    sent = body(till, service)

    first, second = (till.post(service, product, sent, **headers) for _ in range(2))
    other = till.post(service, product, sent | {"debtorAccount": {"iban": till.iban, "currency": "EUR"}}, **headers)

    assert first.status_code == second.status_code == 201
    assert first.json == second.json
    assert refusal(other) == (400, "FORMAT_ERROR", "X-Request-ID")


def test_the_same_request_to_another_address_is_another(till: Till) -> None:
    """The same body under another product or service."""
    headers = {"X_Request_ID": str(uuid.uuid4())}
    till.post(SINGLE, SEPA, payment_body(till.iban), **headers)

    assert refusal(till.post(SINGLE, INSTANT, payment_body(till.iban), **headers)) == (400, "FORMAT_ERROR", "X-Request-ID")


def test_a_request_is_repeated_days_later(till: Till) -> None:
    """Its day is past by then; it is not judged again."""
    headers = {"X_Request_ID": str(uuid.uuid4())}
    sent = payment_body(till.iban, requestedExecutionDate=TODAY.isoformat())
    first: Any = till.post(SINGLE, SEPA, sent, **headers)

    till.pass_time(timedelta(days=3))
    again: Any = till.post(SINGLE, SEPA, sent, **headers)

    assert again.status_code == 201
    assert (again.json["paymentId"], again.json["transactionStatus"]) == (first.json["paymentId"], "RJCT")


def test_requests_at_the_same_moment_are_one_payment(till: Till) -> None:
    """Eight at once, under one X-Request-ID."""
    request_id, before = str(uuid.uuid4()), count(till.desk)
    sent = till.bulk_body(entry("1.00"), entry("2.00"))

    def post() -> Any:
        tpp = Tpp(till.desk.app.test_client())
        return tpp.post(f"/v1/{BULK}/{SEPA}", sent, X_Request_ID=request_id)

    answers: list[Any] = at_once(*[post] * 8)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["paymentId"] for answer in answers}) == 1
    assert count(till.desk) == before + 1
