"""Authorisation sub-resources and the sandbox's levers: what is sent, how answers are judged."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from psd2.money import Money
from tests.unit.tpp_client.fakes import EDGE, ScriptedTransport, answer
from tpp_client.authorisations import (
    PsuProof,
    ScaMethod,
    authorisation_start_request,
    process_authorisation_start_response,
    process_psu_proof_response,
    process_sca_status_response,
    psu_proof_request,
)
from tpp_client.baskets import basket_request, basket_status_request, process_basket_response, process_basket_status_response
from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.payments import (
    BulkOrder,
    PaymentOrder,
    PaymentService,
    StandingOrder,
    cancellation_request,
    payment_request,
    process_cancellation_response,
    process_payment_response,
)
from tpp_client.sandbox_api import process_app_decision_response
from tpp_client.sandbox_steering import (
    Fault,
    clock_advance_request,
    fault_request,
    personality_request,
    process_clock_response,
    process_personality_response,
)
from tpp_client.xs2a import Xs2a

ORDER = PaymentOrder(
    debtor_iban="DE1", creditor_iban="DE2", creditor_name="Bo", amount=Money.parse("12.5", "EUR"), remittance="Rent"
)
STARTED = {
    "scaStatus": "psuAuthenticated",
    "authorisationId": "a1",
    "psuMessage": "Choose how",
    "scaMethods": [
        {"authenticationMethodId": "m1", "authenticationType": "SMS_OTP", "name": "SMS to ••• 12"},
        {"authenticationMethodId": "m2", "authenticationType": "CHIP_OTP"},
    ],
    "_links": {"selectAuthenticationMethod": {"href": "/v1/consents/c1/authorisations/a1"}},
}


def bank(*answers: object) -> tuple[Xs2a, ScriptedTransport]:
    transport = ScriptedTransport(*answers)  # type: ignore[arg-type]
    return Xs2a(transport=transport, edge=EDGE, new_request_id=lambda: "r1"), transport


def test_the_psu_is_named_in_a_header_and_proves_itself_in_the_body() -> None:
    """BG IG §7.2: PSU-ID travels in a header, the password in `psuData`."""
    xs2a, transport = bank(answer(201, STARTED, {"aspsp-sca-approach": "EMBEDDED"}))

    proof = PsuProof(psu="anna.weber", password="s3cret")
    step = process_authorisation_start_response(authorisation_start_request(xs2a, "/v1/consents/c1/authorisations", proof))

    assert transport.requests[0].headers["PSU-ID"] == "anna.weber"
    assert transport.json() == {"psuData": {"password": "s3cret"}}
    assert (step.approach, step.status, step.message) == ("EMBEDDED", "psuAuthenticated", "Choose how")
    assert step.methods[1] == ScaMethod(id="m2", type="CHIP_OTP", name="CHIP_OTP")
    assert step.links["selectAuthenticationMethod"].endswith("/a1")
    assert "s3cret" not in repr(proof)


def test_each_step_sends_what_it_is_about_only() -> None:
    """A method's id, then a code, and nothing beside."""
    xs2a, transport = bank(answer(200, {"scaStatus": "started"}), answer(200, {"scaStatus": "finalised"}))

    process_psu_proof_response(psu_proof_request(xs2a, "/a", PsuProof(method="m1")))
    last = process_psu_proof_response(psu_proof_request(xs2a, "/a", PsuProof(code="123456")))

    assert [transport.json(0), transport.json(1)] == [{"authenticationMethodId": "m1"}, {"scaAuthenticationData": "123456"}]
    assert "PSU-ID" not in transport.requests[1].headers
    assert last.status == "finalised"


def test_a_refused_code_is_a_refusal_with_its_reason() -> None:
    """And an answer without status is no answer."""
    with pytest.raises(Refused, match="PSU_CREDENTIALS_INVALID"):
        process_psu_proof_response(answer(401, {"tppMessages": [{"category": "ERROR", "code": "PSU_CREDENTIALS_INVALID"}]}))
    with pytest.raises(UnexpectedResponse, match="scaStatus"):
        process_sca_status_response(answer(200, {}))


def test_orders_go_to_their_own_service() -> None:
    """Single and future-dated, periodic, bulk."""
    made = answer(201, {"paymentId": "p1", "transactionStatus": "RCVD", "_links": {"startAuthorisation": {"href": "/s"}}})
    xs2a, transport = bank(made, made, made)
    dated = PaymentOrder(
        debtor_iban="DE1",
        creditor_iban="DE2",
        creditor_name="Bo",
        amount=ORDER.amount,
        remittance="",
        execution_date=date(2027, 1, 4),
    )

    payment_request(xs2a, dated)
    periodic = StandingOrder(order=ORDER, start=date(2027, 1, 1), frequency="Monthly", day_of_execution=1)
    standing = process_payment_response(payment_request(xs2a, periodic), service=PaymentService.PERIODIC)
    payment_request(xs2a, BulkOrder(orders=(ORDER, ORDER)))

    paths = [request.url.removeprefix(EDGE) for request in transport.requests]
    assert paths == [f"/v1/{service}/sepa-credit-transfers" for service in ("payments", "periodic-payments", "bulk-payments")]
    assert transport.json(0)["requestedExecutionDate"] == "2027-01-04"  # type: ignore[index]
    assert transport.json(1)["dayOfExecution"] == "1"  # type: ignore[index]
    bulk = transport.json(2)
    assert len(bulk["payments"]) == 2  # type: ignore[index]
    assert "debtorAccount" not in bulk["payments"][0]  # type: ignore[index]
    assert standing.path == "/v1/periodic-payments/sepa-credit-transfers/p1"
    assert standing.sca.start == "/s"


def test_a_cancellation_is_done_or_waits_for_the_psu() -> None:
    """204 or 202 (BG IG §5.6)."""
    links = {"startAuthorisation": {"href": "/v1/payments/sct/p1/cancellation-authorisations"}}
    waiting = answer(202, {"transactionStatus": "ACSP", "_links": links})
    made = answer(201, {"paymentId": "p1", "transactionStatus": "RCVD"})
    xs2a, transport = bank(made, waiting, answer(204))
    payment = process_payment_response(payment_request(xs2a, ORDER))

    first = process_cancellation_response(cancellation_request(xs2a, payment))
    second = process_cancellation_response(cancellation_request(xs2a, payment))

    assert transport.requests[-1].method == "DELETE"
    assert first.sca is not None
    assert (first.is_done, first.sca.start) == (False, links["startAuthorisation"]["href"])
    assert second.is_done


def test_the_sandbox_is_steered() -> None:
    """Clock, faults, personality."""
    moved = answer(200, {"now": "2027-01-05T08:00:00+00:00", "tasksRun": 3})
    xs2a, transport = bank(moved, answer(200, {"personality": "embedded", "personalities": []}), answer(201, {"id": "f1"}))

    told = process_clock_response(clock_advance_request(xs2a, by="P1D"))
    assert (told.now, told.tasks_run) == (datetime(2027, 1, 5, 8, tzinfo=UTC), 3)
    assert process_personality_response(personality_request(xs2a, name="embedded")) == "embedded"
    fault_request(xs2a, Fault(kind="error", path="/v1/accounts", method="GET", calls=2, status=503))

    assert transport.json(0) == {"by": "P1D"}
    assert transport.json(2) == {"kind": "error", "path": "/v1/accounts", "method": "GET", "calls": 2, "status": 503}
    with pytest.raises(UnexpectedResponse, match="no time"):
        process_clock_response(answer(200, {"now": "soon"}))


def test_a_basket_names_what_is_in_it_only() -> None:
    """BG IG §8.1: an empty list is left out."""
    made = {"basketId": "b1", "transactionStatus": "RCVD", "_links": {"startAuthorisation": {"href": "/s"}}}
    xs2a, transport = bank(answer(201, made), answer(200, {"transactionStatus": "ACTC"}))

    basket = process_basket_response(basket_request(xs2a, payments=["p1", "p2"]))

    assert transport.json() == {"paymentIds": ["p1", "p2"]}
    assert (basket.basket_id, basket.sca.start) == ("b1", "/s")
    assert process_basket_status_response(basket_status_request(xs2a, "b1")) == "ACTC"


def test_in_the_app_the_psu_decides_on_an_authorisation() -> None:
    """No redirect comes back, a status does."""
    assert process_app_decision_response(answer(200, {"redirect": None, "scaStatus": "finalised"})) == "finalised"
    with pytest.raises(UnexpectedResponse, match="scaStatus"):
        process_app_decision_response(answer(200, {"redirect": "https://tpp.example/cb?code=x"}))
