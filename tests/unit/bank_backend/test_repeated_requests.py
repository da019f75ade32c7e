"""One request makes one consent, one funds consent, one authorisation, however often and fast it comes (BG IG §4.12)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from bank_backend.consents.store import consents
from tests.support.at_once import at_once
from tests.support.bank_core import ANNA, JONAS, TENANT
from tests.support.bank_sca import CONSENTS, Tpp, consent_body, refusal
from tests.unit.bank_backend.authorisations.embedding import Embedding

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk

FUNDS = "/v2/consents/confirmation-of-funds"
_CHANGES: dict[str, dict[str, Any]] = {CONSENTS: {"frequencyPerDay": 1}, FUNDS: {"registrationInformation": "Another contract"}}


def making(desk: BankDesk, path: str) -> dict[str, Any]:
    return consent_body() if path == CONSENTS else {"account": {"iban": desk.iban()}}


@pytest.mark.parametrize("path", [CONSENTS, FUNDS])
def test_a_repeated_request_answers_the_same_consent(desk: BankDesk, path: str) -> None:
    """Its id in capitals too; another body under it is refused, and another TPP's request is its own."""
    body, request_id = making(desk, path), str(uuid.uuid4())

    first = desk.tpp.post(path, body, X_Request_ID=request_id)
    again = desk.tpp.post(path, body, X_Request_ID=request_id.upper())
    other = desk.tpp.post(path, body | _CHANGES[path], X_Request_ID=request_id)
    fresh = desk.tpp.post(path, body, X_Request_ID=str(uuid.uuid4()))

    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert refusal(other) == (400, "FORMAT_ERROR", "X-Request-ID")
    assert fresh.json["consentId"] != first.json["consentId"]  # type: ignore[index]


def test_a_request_comes_again_after_the_decision(desk: BankDesk) -> None:
    """It answers the consent as it stands by then."""
    request_id = str(uuid.uuid4())
    first: Any = desk.tpp.post(CONSENTS, consent_body(), X_Request_ID=request_id).json
    desk.decide(desk.begin("ais", first["consentId"]))

    again: Any = desk.tpp.post(CONSENTS, consent_body(), X_Request_ID=request_id).json

    assert (again["consentId"], again["consentStatus"]) == (first["consentId"], "valid")


def test_requests_at_the_same_moment_make_one_consent(desk: BankDesk) -> None:
    """Six at once, under one X-Request-ID."""
    request_id = str(uuid.uuid4())

    def ask() -> tuple[int, str]:
        answer: Any = Tpp(desk.app.test_client()).post(CONSENTS, consent_body(), X_Request_ID=request_id)
        return answer.status_code, answer.json["consentId"]

    answers: list[Any] = at_once(*[ask] * 6)

    assert {status for status, _ in answers} == {201}
    assert len(set(answers)) == 1
    with desk.bank.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(consents)).scalar_one() == 1


def test_a_repeated_start_answers_the_same_authorisation(desk: BankDesk) -> None:
    """No other is started, no other code is sent; for another PSU the same X-Request-ID is refused."""
    flow = Embedding.of_payment(desk)
    headers, body = {"X_Request_ID": str(uuid.uuid4())}, {"psuData": {"password": desk.password}}

    first: Any = flow.start(body, PSU_ID=ANNA, **headers)
    again: Any = flow.start(body, PSU_ID=ANNA, **headers)
    other = desk.tpp.post(f"{flow.resource}/authorisations", body, PSU_ID=JONAS, **headers)

    assert first.status_code == again.status_code == 201
    assert again.json == first.json
    assert again.json["scaStatus"] == "psuAuthenticated"
    assert refusal(other) == (400, "FORMAT_ERROR", "X-Request-ID")
    listed: Any = desk.tpp.get(f"{flow.resource}/authorisations").json
    assert listed["authorisationIds"] == [first.json["authorisationId"]]


def test_a_start_comes_again_after_the_end(desk: BankDesk) -> None:
    """What it started has signed; a new request for the same is out of turn."""
    flow = Embedding.of_payment(desk, instructedAmount={"currency": "EUR", "amount": "5.00"})
    desk.bank.services.personalities.choose(TENANT, "lenient")
    wish = {"TPP_Redirect_Preferred": "false", "TPP_Decoupled_Preferred": "false", "X_Request_ID": str(uuid.uuid4())}
    body = {"psuData": {"password": desk.password}}
    first: Any = flow.start(body, PSU_ID=ANNA, **wish)
    assert first.json["scaStatus"] == "exempted"

    again: Any = flow.start(body, PSU_ID=ANNA, **wish)
    fresh = flow.start(body, PSU_ID=ANNA, **wish | {"X_Request_ID": str(uuid.uuid4())})

    assert (again.status_code, again.json["authorisationId"]) == (201, first.json["authorisationId"])
    assert refusal(fresh)[:2] == (409, "STATUS_INVALID")


def test_a_start_with_a_wrong_password_comes_again_with_the_right_one(desk: BankDesk) -> None:
    """Nothing was taken yet: what comes now is."""
    flow = Embedding.of_payment(desk)
    headers = {"X_Request_ID": str(uuid.uuid4())}
    refused = flow.start({"psuData": {"password": "wrong"}}, PSU_ID=ANNA, **headers)

    taken: Any = flow.start({"psuData": {"password": desk.password}}, PSU_ID=ANNA, **headers)

    assert refused.status_code == 401
    assert taken.json["scaStatus"] == "psuAuthenticated"
