"""Single payments of every product: when they are made, what they cost, why they are not (BG IG 1.3.8 §4.14.1, §11)."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from bank_backend.ledger.orders import IncomingTransfer
from bank_backend.personas.countries import house_bank_code, new_iban
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.support.bank_payments import (
    CROSS_BORDER,
    INSTANT,
    SATURDAY,
    SEPA,
    SINGLE,
    TARGET_2,
    TODAY,
    Till,
)
from tests.support.bank_sca import payment_body, refusal

TOMORROW = TODAY + timedelta(days=1)
MUCH: dict[str, Any] = {"instructedAmount": {"currency": "EUR", "amount": "9999999.00"}}
PRICE = Money(1250, "EUR")


def receive(till: Till, amount: str) -> None:
    """Have somebody pay Anna."""
    now = till.desk.bank.services.clock.now(TENANT)
    incoming = IncomingTransfer(
        tenant=TENANT, creditor_iban=till.iban, amount=Money.parse(amount, "EUR"), debtor_name="A rich aunt"
    )
    with till.desk.bank.database.writing() as connection:
        till.desk.bank.services.ledger.receive(connection, incoming, now)


@pytest.mark.parametrize(("product", "status"), [(SEPA, "ACSC"), (INSTANT, "ACCC"), (TARGET_2, "ACSC"), (CROSS_BORDER, "ACSC")])
def test_each_product_is_booked_on_approval(till: Till, product: str, status: str) -> None:
    """ACSC: the payer is debited; ACCC for instant payments, whose payee has the money by then (BG IG §4.14.1)."""
    before = till.available()

    assert till.approved(till.single(product)) == status

    assert till.available() <= before - PRICE
    assert till.is_reconciled()


def test_a_payee_at_this_bank_has_the_money(till: Till) -> None:
    """ACCC: the creditor's account is credited too (BG IG §14.13)."""
    before = till.available(JONAS)

    assert till.approved(till.single(creditorAccount={"iban": till.desk.iban(JONAS)})) == "ACCC"

    assert till.available(JONAS) == before + PRICE


def test_fees_and_estimates_come_with_the_answer_and_are_what_is_debited(till: Till) -> None:
    """BG IG §5.3.1: `estimatedTotalAmount` includes the fees."""
    before = till.available()

    answer: Any = till.post(SINGLE, TARGET_2, payment_body(till.iban, chargeBearer="DEBT")).json
    till.approve(f"/v1/{SINGLE}/{TARGET_2}/{answer['paymentId']}")

    assert answer["transactionFeeIndicator"] is True
    total, fees = (Money.parse(answer[name]["amount"], "EUR") for name in ("estimatedTotalAmount", "transactionFees"))
    assert total == PRICE + fees
    assert answer["estimatedInterbankSettlementAmount"] == {"currency": "EUR", "amount": "12.50"}
    assert till.available() == before - total


def test_a_free_payment_says_so(till: Till) -> None:
    """No fee, and the same amount on both sides."""
    answer: Any = till.post(SINGLE, SEPA, payment_body(till.iban)).json

    amount = {"currency": "EUR", "amount": "12.50"}
    assert (answer["transactionFeeIndicator"], "transactionFees" in answer) == (False, False)
    assert "currencyConversionFee" not in answer
    assert answer["estimatedTotalAmount"] == answer["estimatedInterbankSettlementAmount"] == amount


def test_of_an_account_that_is_not_here_nothing_is_estimated(till: Till) -> None:
    """The payment is received all the same: who may pay from where is decided with the PSU."""
    answer: Any = till.post(SINGLE, SEPA, payment_body("DE89370400440532013000"))

    assert answer.status_code == 201
    assert "estimatedTotalAmount" not in answer.json


def test_a_currency_that_the_account_is_not_in_is_exchanged(till: Till) -> None:
    """The payer is debited in the account's currency; what the exchange costs is told, part of the fees, and booked."""
    before = till.available()
    abroad = {"instructedAmount": {"currency": "USD", "amount": "10.00"}, "creditorAgent": "CHASUS33"}

    answer: Any = till.post(SINGLE, CROSS_BORDER, payment_body(till.iban, **abroad, chargeBearer="SHAR")).json
    till.approve(f"/v1/{SINGLE}/{CROSS_BORDER}/{answer['paymentId']}")

    conversion, fees = (Money.parse(answer[name]["amount"], "EUR") for name in ("currencyConversionFee", "transactionFees"))
    assert (answer["transactionFeeIndicator"], conversion, fees) == (True, Money(4, "EUR"), Money(5_04, "EUR"))
    assert answer["estimatedTotalAmount"]["currency"] == "EUR"
    assert till.available() == before - Money.parse(answer["estimatedTotalAmount"]["amount"], "EUR")
    assert till.is_reconciled()


@pytest.mark.parametrize(
    ("debtor", "creditor", "code"),
    [
        ({"status": "blocked"}, {}, "AC06"),
        ({"status": "deleted"}, {}, "AC04"),
        ({"transfer_limit_minor": 1000}, {}, "AM02"),
        ({"daily_limit_minor": 1000}, {}, "AM02"),
        ({}, {"status": "blocked"}, "AC06"),
    ],
    ids=["blocked", "closed", "limit", "daily limit", "payee blocked"],
)
def test_what_the_account_forbids_is_rejected_with_its_reason(
    till: Till, debtor: dict[str, Any], creditor: dict[str, Any], code: str
) -> None:
    """RJCT, nothing moved, and the ISO reason."""
    path = till.single(creditorAccount={"iban": till.desk.iban(JONAS)})
    before = till.available(), till.available(JONAS)
    for psu, columns in ((ANNA, debtor), (JONAS, creditor)):
        if columns:
            till.set_account(psu, **columns)

    till.approve(path)

    body = till.status_body(path)
    assert (body["transactionStatus"], body["reasonCode"]) == ("RJCT", code)
    assert (till.available(), till.available(JONAS)) == before


def test_a_reason_tells_neither_balance_nor_limit(till: Till) -> None:
    """What the account has is not the payment initiator's business."""
    till.set_account(ANNA, transfer_limit_minor=1000)
    limited, uncovered = till.single(), till.single(**MUCH)

    for path in (limited, uncovered):
        till.approve(path)
        assert not any(character.isdigit() for character in till.status_body(path)["psuMessage"])


def test_an_account_of_this_bank_that_does_not_exist_is_not_paid(till: Till) -> None:
    """AC03: the bank knows its own numbers."""
    lost = new_iban("DE", Random(7), bank_code=house_bank_code("DE"))  # noqa: S311 - a number, no secret
    before, path = till.available(), till.single(creditorAccount={"iban": lost})

    till.approve(path)

    body = till.status_body(path)
    assert (body["transactionStatus"], body["reasonCode"]) == ("RJCT", "AC03")
    assert till.available() == before


def test_a_payment_of_another_day_rests_until_then(till: Till) -> None:
    """ACTC with `fundsAvailable`; money moves with the first moment of its day, once."""
    before = till.available()
    path = till.single(requestedExecutionDate=TOMORROW.isoformat())

    assert till.approved(path) == "ACTC"

    assert till.status_body(path)["fundsAvailable"] is True
    assert till.available() == before
    till.pass_until(TOMORROW)
    assert till.status(path) == "ACSC"
    till.pass_time(timedelta(days=3))
    assert till.available() == before - PRICE


def test_funds_that_are_not_there_yet_are_told(till: Till) -> None:
    """`fundsAvailable` false, while the payment waits."""
    path = till.single(requestedExecutionDate=TOMORROW.isoformat(), **MUCH)

    till.approve(path)

    assert till.status_body(path)["fundsAvailable"] is False


def test_without_funds_on_its_day_it_is_rejected(till: Till) -> None:
    """AM04 on the day, not before."""
    path = till.single(requestedExecutionDate=TOMORROW.isoformat(), **MUCH)
    till.approve(path)

    till.pass_until(TOMORROW)

    body = till.status_body(path)
    assert (body["transactionStatus"], body["reasonCode"]) == ("RJCT", "AM04")


def test_today_as_execution_date_is_at_once(till: Till) -> None:
    """There is nothing to wait for."""
    assert till.approved(till.single(requestedExecutionDate=TODAY.isoformat())) == "ACSC"


def test_a_target2_payment_waits_for_the_next_business_day_with_its_money_held(till: Till) -> None:
    """ACSP: the money is promised, and booked from the hold when TARGET opens."""
    till.pass_until(SATURDAY)
    before = till.available()
    answer: Any = till.post(SINGLE, TARGET_2, payment_body(till.iban))
    path = answer.headers["Location"]

    assert till.approved(path) == "ACSP"

    (warning,) = answer.json["tppMessages"]
    assert (warning["category"], warning["code"]) == ("WARNING", "WARNING")
    held = before - till.available()
    assert held >= PRICE
    till.pass_until(date(2026, 11, 23))
    assert till.status(path) == "ACSC"
    assert till.available() == before - held
    assert till.is_reconciled()


def test_a_tpp_may_have_its_payment_wait_for_funds(till: Till) -> None:
    """TPP-Rejection-NoFunds-Preferred false: PDNG, tried again until the day ends (BG IG §5.3.1)."""
    amount = {"currency": "EUR", "amount": (till.available() + PRICE).decimal}
    body = payment_body(till.iban, instructedAmount=amount)
    path = till.initiated(SINGLE, SEPA, body, TPP_Rejection_NoFunds_Preferred="false")

    assert till.approved(path) == "PDNG"
    till.pass_time(timedelta(hours=2))
    assert till.status(path) == "PDNG"
    receive(till, "100.00")
    till.pass_time(timedelta(hours=1))

    assert till.status(path) == "ACSC"


def test_funds_are_not_waited_for_beyond_the_day(till: Till) -> None:
    """Then it is rejected for their lack."""
    path = till.initiated(SINGLE, SEPA, payment_body(till.iban, **MUCH), TPP_Rejection_NoFunds_Preferred="false")
    till.approve(path)

    till.pass_until(TOMORROW)

    body = till.status_body(path)
    assert (body["transactionStatus"], body["reasonCode"]) == ("RJCT", "AM04")


def test_a_payment_that_nobody_approves_is_rejected_by_itself(till: Till) -> None:
    """Written down by the schedule, not only shown."""
    path = till.single()

    till.pass_time(timedelta(hours=25))

    assert till.status_body(path)["reasonCode"] == "TM01"
    assert till.tasks() == 0


def test_a_fault_that_is_set_rejects_the_payment(till: Till) -> None:
    """A developer wants to see AC07 once."""
    fault = {"kind": "reject-payment", "path": "/v1/payments/**", "reason": "AC07", "calls": 1}
    made = till.desk.tpp.post("/sandbox/v1/faults", fault)
    assert made.status_code == 201, made.text
    first, second = till.single(), till.single()

    till.approve(first)

    assert till.status_body(first)["reasonCode"] == "AC07"
    assert till.approved(second) == "ACSC"


def test_a_body_of_another_kind_is_said_to_be_one(till: Till) -> None:
    """415 for XML where JSON is meant, and the other way round."""
    xml = till.desk.tpp.send(f"/v1/{SINGLE}/{SEPA}", b"<Document/>", "application/xml")
    json = till.post(SINGLE, f"pain.001-{SEPA}", payment_body(till.iban))

    assert [refusal(answer)[:2] for answer in (xml, json)] == [(415, "FORMAT_ERROR")] * 2
