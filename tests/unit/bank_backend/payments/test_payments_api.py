"""`/v1/payments/sepa-credit-transfers` over HTTP: from receipt to moved money, exactly once (BG IG 1.3.8 §5.3 to §5.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT
from tests.support.bank_sca import PAYMENTS, BankDesk, Tpp, payment_body, refusal

if TYPE_CHECKING:
    from typing import Any

REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
EURO = 100


def available(desk: BankDesk, psu: Any = ANNA) -> Money:
    return desk.bank.balances(desk.bank.account(psu)).interim_available


def status_of(desk: BankDesk, payment: str) -> dict[str, Any]:
    return dict(desk.tpp.get(f"{PAYMENTS}/{payment}/status").json)  # type: ignore[arg-type]


def test_a_new_payment_is_received_and_moves_nothing(desk: BankDesk) -> None:
    """RCVD with the links to authorise it (BG IG §5.3.1)."""
    before = available(desk)

    answer = desk.tpp.post(PAYMENTS, payment_body(desk.iban()))

    body: Any = answer.json
    path = f"{PAYMENTS}/{body['paymentId']}"
    assert answer.status_code == 201
    assert body["transactionStatus"] == "RCVD"
    assert body["_links"]["scaOAuth"]["href"].endswith("/.well-known/oauth-authorization-server")
    assert body["_links"]["self"] == {"href": path}
    assert body["_links"]["scaStatus"]["href"].startswith(f"{path}/authorisations/")
    assert (answer.headers["Location"], answer.headers["ASPSP-SCA-Approach"]) == (path, "REDIRECT")
    assert available(desk) == before


def test_approval_books_the_money(desk: BankDesk) -> None:
    """ACSC, the payer's balance less the amount, and the movement with its payee in the statement."""
    before, payment = available(desk), desk.payment()

    desk.decide(desk.begin("pis", payment))

    assert status_of(desk, payment) == {"transactionStatus": "ACSC"}
    assert available(desk) == before - Money(1250, "EUR")
    with desk.bank.database.reading() as connection:
        assert desk.bank.services.ledger.reconcile(connection).is_right


def test_a_payee_at_this_bank_is_credited(desk: BankDesk) -> None:
    """What the one pays, the other receives."""
    before = available(desk, JONAS)
    payment = desk.payment(creditorAccount={"iban": desk.iban(JONAS)})

    desk.decide(desk.begin("pis", payment))

    assert available(desk, JONAS) == before + Money(1250, "EUR")


def test_without_funds_it_is_rejected_with_the_reason(desk: BankDesk) -> None:
    """RJCT with AM04; the PSU's approval stands, the money stays (BG IG §4.14.1)."""
    before = available(desk)
    payment = desk.payment(instructedAmount={"currency": "EUR", "amount": "99999999.00"})

    decided = desk.decide(desk.begin("pis", payment))

    assert decided.json["status"] == "approved"  # type: ignore[index]
    assert status_of(desk, payment) == {
        "transactionStatus": "RJCT",
        "psuMessage": "Rejected: the debtor account does not cover the amount",
        "reasonCode": "AM04",
    }
    assert available(desk) == before


def test_a_refused_payment_is_rejected(desk: BankDesk) -> None:
    """RJCT, and nothing moved."""
    before, payment = available(desk), desk.payment()

    desk.decide(desk.begin("pis", payment), result="REJECTED")

    assert status_of(desk, payment)["transactionStatus"] == "RJCT"
    assert available(desk) == before


def test_not_approved_in_time_it_is_rejected(desk: BankDesk) -> None:
    """XS2A 1.3.11: without SCA in the required time frame the status becomes RJCT."""
    payment = desk.payment()

    desk.bank.clock.advance(timedelta(hours=25))

    assert status_of(desk, payment)["reasonCode"] == "TM01"


def test_the_same_request_twice_is_one_payment(desk: BankDesk) -> None:
    """Idempotent on X-Request-ID, in either case of its letters: the same payment, paid once."""
    before = available(desk)
    body = payment_body(desk.iban())

    answers: list[Any] = [
        desk.tpp.post(PAYMENTS, body, X_Request_ID=each).json for each in (REQUEST_ID, REQUEST_ID, REQUEST_ID.upper())
    ]
    desk.decide(desk.begin("pis", answers[0]["paymentId"]))
    repeated: Any = desk.tpp.post(PAYMENTS, body, X_Request_ID=REQUEST_ID)

    assert answers[0] == answers[1] == answers[2]
    assert repeated.status_code == 201
    assert (repeated.json["paymentId"], repeated.json["transactionStatus"]) == (answers[0]["paymentId"], "ACSC")
    assert available(desk) == before - Money(1250, "EUR")


def test_the_same_request_id_for_another_payment_is_refused(desk: BankDesk) -> None:
    """A different body under a used X-Request-ID is a mistake that would lose a payment."""
    desk.tpp.post(PAYMENTS, payment_body(desk.iban()), X_Request_ID=REQUEST_ID)

    answer = desk.tpp.post(PAYMENTS, payment_body(desk.iban(), creditorName="Somebody else"), X_Request_ID=REQUEST_ID)

    assert refusal(answer) == (400, "FORMAT_ERROR", "X-Request-ID")


def test_another_tpps_request_id_is_not_in_the_way(desk: BankDesk) -> None:
    """Each TPP has its own."""
    first: Any = desk.tpp.post(PAYMENTS, payment_body(desk.iban()), X_Request_ID=REQUEST_ID).json
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)

    second: Any = stranger.post(PAYMENTS, payment_body(desk.iban()), X_Request_ID=REQUEST_ID)

    assert second.status_code == 201
    assert second.json["paymentId"] != first["paymentId"]


def test_a_payment_reads_back_as_it_was_sent(desk: BankDesk) -> None:
    """With its status (BG IG §5.5)."""
    payment = desk.payment(endToEndIdentification="E2E-1")

    sent = payment_body(desk.iban(), endToEndIdentification="E2E-1")
    assert desk.tpp.get(f"{PAYMENTS}/{payment}").json == sent | {"transactionStatus": "RCVD"}


@pytest.mark.parametrize("path", ["/v1/payments/sepa-direct-debits", "/v1/bulk-payments/pain.008"])
def test_a_product_that_is_not_offered_is_said_to_be_unknown(desk: BankDesk, path: str) -> None:
    """404 PRODUCT_UNKNOWN naming what is offered."""
    for answer in (desk.tpp.post(path, payment_body(desk.iban())), desk.tpp.get(f"{path}/x/status")):
        assert refusal(answer)[:2] == (404, "PRODUCT_UNKNOWN")
        assert "pain.001-sepa-credit-transfers" in answer.json["tppMessages"][0]["text"]  # type: ignore[index]


@pytest.mark.parametrize("path", ["/v1/bulk-payments/sepa-credit-transfers", "/v1/payments/instant-sepa-credit-transfers"])
def test_a_payment_is_found_under_its_own_service_and_product_only(desk: BankDesk, path: str) -> None:
    """BG IG §5.4: the bank checks that the product is the payment's."""
    payment = desk.payment()

    for answer in (desk.tpp.get(f"{path}/{payment}/status"), desk.tpp.delete(f"{path}/{payment}")):
        assert refusal(answer) == (403, "RESOURCE_UNKNOWN", None)
    assert status_of(desk, payment) == {"transactionStatus": "RCVD"}


def test_another_tpps_payment_is_as_unknown_as_none(desk: BankDesk) -> None:
    """403 RESOURCE_UNKNOWN on every address (BG IG §14.11.1)."""
    payment, never_made = desk.payment(), "11111111-2222-4333-8444-555555555555"
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)
    for method, path in [
        ("GET", ""),
        ("GET", "/status"),
        ("DELETE", ""),
        ("GET", "/authorisations"),
        ("POST", "/authorisations"),
        ("GET", "/cancellation-authorisations"),
        ("POST", "/cancellation-authorisations"),
    ]:
        answers = [stranger.call(method, f"{PAYMENTS}/{each}{path}", {}) for each in (payment, never_made)]

        assert [refusal(answer) for answer in answers] == [(403, "RESOURCE_UNKNOWN", None)] * 2, (method, path)


def test_an_aisp_starts_no_payment(desk: BankDesk) -> None:
    """The bank looks at the role too, were the gateway to forget."""
    answer = Tpp(desk.app.test_client(), roles="PSP_AI").post(PAYMENTS, payment_body(desk.iban()))

    assert refusal(answer) == (401, "ROLE_INVALID", None)


def test_the_psus_address_is_mandatory(desk: BankDesk) -> None:
    """BG IG §5.3.1."""
    answer = desk.tpp.post(PAYMENTS, payment_body(desk.iban()), PSU_IP_Address="")

    assert refusal(answer) == (400, "FORMAT_ERROR", "PSU-IP-Address")
