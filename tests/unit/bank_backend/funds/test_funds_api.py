"""Funds consents and confirmations over HTTP (XS2A-COFC 2.0; BG IG 1.3.8 §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT
from tests.support.bank_sca import ELSEWHERE, FUNDS, BankDesk, Tpp, refusal

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

CONFIRMATIONS = "/v1/funds-confirmations"
CARD = {"cardNumber": "5409050000001234", "cardExpiryDate": "2030-12-31", "cardInformation": "Debit card"}


def approved(desk: BankDesk, **changes: Any) -> str:
    consent = desk.funds_consent(**changes)
    assert desk.decide(desk.begin("piis", consent)).status_code == 200
    return consent


def ask(desk: BankDesk, consent: str, *, tpp: Tpp | None = None, header: str | None = None, **changes: Any) -> TestResponse:
    issuer = tpp or Tpp(desk.app.test_client(), scope=f"PIIS:{consent}", subject=ANNA)
    body = {"account": {"iban": desk.iban()}, "instructedAmount": {"currency": "EUR", "amount": "5.00"}} | changes
    return issuer.post(CONFIRMATIONS, body, Consent_ID=consent if header is None else header)


def test_a_funds_consent_from_request_to_end(desk: BankDesk) -> None:
    """Received, valid, as it was asked for, terminated."""
    answer = desk.tpp.post(FUNDS, {"account": {"iban": desk.iban()}, "registrationInformation": "Contract 7"} | CARD)
    body: Any = answer.json
    path = f"{FUNDS}/{body['consentId']}"
    assert (answer.status_code, answer.headers["Location"], body["consentStatus"]) == (201, path, "received")

    desk.decide(desk.begin("piis", body["consentId"]))

    expected = {"account": {"iban": desk.iban()}, "registrationInformation": "Contract 7", "consentStatus": "valid"} | CARD
    assert desk.tpp.get(path).json == expected
    assert desk.tpp.delete(path).status_code == 204
    assert desk.tpp.get(f"{path}/status").json == {"consentStatus": "terminatedByTpp"}


def test_yes_up_to_the_last_cent_and_no_beyond(desk: BankDesk) -> None:
    """What is available decides, to the cent; nothing but yes or no is told."""
    consent = approved(desk)
    available = desk.bank.balances(desk.bank.account(ANNA)).interim_available

    answers = [
        ask(desk, consent, instructedAmount={"currency": "EUR", "amount": each.decimal}).json
        for each in (available, available + Money(1, "EUR"))
    ]

    assert answers == [{"fundsAvailable": True}, {"fundsAvailable": False}]


def test_a_token_for_another_consent_gets_no_answer(desk: BankDesk) -> None:
    """The scope `PIIS:<id>` names the consent; an account consent's scope doesn't (BG IG §13.1)."""
    first, second = approved(desk), approved(desk)
    tpp = Tpp(desk.app.test_client(), scope=f"PIIS:{first} AIS:{second}", subject=ANNA)

    assert refusal(ask(desk, second, tpp=tpp)) == (401, "TOKEN_INVALID", "Consent-ID")


def test_another_tpps_consent_is_unknown(desk: BankDesk) -> None:
    """In the header 400, in the path 403; the same as for none."""
    consent = approved(desk)
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT, scope=f"PIIS:{consent}")

    assert refusal(ask(desk, consent, tpp=stranger)) == (400, "CONSENT_UNKNOWN", "Consent-ID")
    assert refusal(stranger.get(f"{FUNDS}/{consent}")) == (403, "CONSENT_UNKNOWN", None)


def test_another_psus_token_does_not_fit(desk: BankDesk) -> None:
    """The token's subject and the consent's PSU are one person."""
    consent = approved(desk)
    tpp = Tpp(desk.app.test_client(), scope=f"PIIS:{consent}", subject=JONAS)

    assert refusal(ask(desk, consent, tpp=tpp)) == (401, "TOKEN_INVALID", None)


def test_an_unapproved_consent_allows_no_question(desk: BankDesk) -> None:
    """Received is not valid."""
    assert refusal(ask(desk, desk.funds_consent())) == (401, "CONSENT_INVALID", None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account": {"iban": ELSEWHERE}}, (400, "NO_PIIS_ACTIVATION", "account.iban")),
        ({"cardNumber": "1111222233334444"}, (400, "CARD_INVALID", "cardNumber")),
        ({"instructedAmount": {"currency": "XAU", "amount": "5.00"}}, (400, "FORMAT_ERROR", "instructedAmount.currency")),
        ({"instructedAmount": {"currency": "EUR", "amount": "0"}}, (400, "FORMAT_ERROR", "instructedAmount.amount")),
        ({"header": ""}, (400, "FORMAT_ERROR", "Consent-ID")),
    ],
)
def test_a_question_that_does_not_fit_the_consent(
    desk: BankDesk, changes: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Another account, another card, another currency, no amount, no consent named."""
    consent = approved(desk, **CARD)

    assert refusal(ask(desk, consent, **changes)) == expected


def test_the_consents_own_card_fits(desk: BankDesk) -> None:
    """And no card at all fits too."""
    consent = approved(desk, **CARD)

    assert ask(desk, consent, cardNumber=CARD["cardNumber"]).json == {"fundsAvailable": True}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"account": {"iban": "nonsense"}}, "account.iban"),
        ({"cardExpiryDate": "12/30"}, "cardExpiryDate"),
        ({"cardNumber": "x" * 36}, "cardNumber"),
        ({"validUntil": "2030-01-01"}, "validUntil"),
    ],
)
def test_a_faulty_request_is_named(desk: BankDesk, changes: dict[str, Any], path: str) -> None:
    """Each wrong in one way."""
    answer = desk.tpp.post(FUNDS, {"account": {"iban": desk.iban()}} | changes)

    assert refusal(answer) == (400, "FORMAT_ERROR", path)


def test_a_new_funds_consent_ends_no_earlier_one(desk: BankDesk) -> None:
    """XS2A-COFC: there is no such side effect."""
    earlier, _ = approved(desk), approved(desk)

    assert desk.tpp.get(f"{FUNDS}/{earlier}/status").json == {"consentStatus": "valid"}


def test_only_a_card_issuer_asks(desk: BankDesk) -> None:
    """The bank looks at the role too."""
    consent = approved(desk)
    tpp = Tpp(desk.app.test_client(), roles="PSP_AI", scope=f"PIIS:{consent}")

    assert refusal(ask(desk, consent, tpp=tpp)) == (401, "ROLE_INVALID", None)
