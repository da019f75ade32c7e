"""What a bank demands of a request before anything else looks at it: signature, token, headers, and that it has the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chassis.told.refusals import HEADER, ToldRefusal, read_refusal_header
from chassis.told.signatures import SignatureFault, fault_header
from psd2.tpp_messages import MessageCode
from tests.support.bank_core import TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, consent_body, payment_body

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

TOLD = ToldRefusal(reason="signature.date", text="The request's Date is old.", hint="Sign it anew.", clause="RFC 9110 §6.6.1")
WRONG = fault_header(SignatureFault(MessageCode.SIGNATURE_INVALID, TOLD))
EXPIRED = fault_header(
    SignatureFault(
        MessageCode.CERTIFICATE_EXPIRED, ToldRefusal(reason="signature.certificate_expired", text="x", hint="", clause="")
    )
)
NO_TOKEN = {"X_Sandbox_Client": "", "X_Sandbox_Scope": "", "X_Sandbox_Subject": ""}


def become(desk: BankDesk, name: str) -> None:
    desk.bank.services.personalities.choose(TENANT, name)


def refusal(answer: TestResponse) -> tuple[int, str, str]:
    body: Any = answer.json
    return answer.status_code, body["tppMessages"][0]["code"], body["reason"]


# --- the token


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/accounts"),
        ("GET", "/v1/accounts/1"),
        ("GET", "/v1/accounts/1/balances"),
        ("GET", "/v1/accounts/1/transactions"),
        ("GET", "/v1/accounts/1/transactions/2"),
        ("GET", "/v1/card-accounts"),
        ("GET", "/v1/card-accounts/1/transactions"),
        ("POST", "/v1/funds-confirmations"),
    ],
)
def test_with_the_standard_personality_nothing_opens_without_a_token(desk: BankDesk, method: str, path: str) -> None:
    """Whatever QWAC and consent say; the challenge names no error, for none was made (RFC 6750 §3.1)."""
    answer = desk.tpp.call(method, path, **NO_TOKEN, Consent_ID=desk.approved_consent())

    assert refusal(answer) == (401, "TOKEN_UNKNOWN", "token.missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="psd2"'


def test_where_no_token_is_needed_the_consent_opens_its_accounts_and_no_others(desk: BankDesk) -> None:
    """It must be this TPP's, valid, and cover what is asked."""
    consent, waiting = desk.approved_consent(), desk.consent()
    become(desk, "embedded")

    opened = desk.tpp.get("/v1/accounts", **NO_TOKEN, Consent_ID=consent)
    assert opened.status_code == 200
    assert {each["iban"] for each in opened.json["accounts"]} == {desk.iban(), desk.iban(place=1)}  # type: ignore[index]
    assert refusal(desk.tpp.get("/v1/accounts", **NO_TOKEN, Consent_ID="none"))[:2] == (400, "CONSENT_UNKNOWN")
    assert refusal(desk.tpp.get("/v1/accounts", **NO_TOKEN, Consent_ID=waiting))[1] == "CONSENT_INVALID"
    assert desk.tpp.get("/v1/accounts", **NO_TOKEN).status_code == 400


def test_a_token_that_comes_all_the_same_must_be_the_consents(desk: BankDesk) -> None:
    """Where none is needed, a wrong one is still wrong."""
    consent = desk.approved_consent()
    become(desk, "embedded")

    assert refusal(desk.tpp.get("/v1/accounts", X_Sandbox_Scope="AIS:other", Consent_ID=consent))[1] == "TOKEN_INVALID"


# --- the signature


def test_a_bank_that_demands_signatures_takes_no_request_without(desk: BankDesk) -> None:
    """Reading, writing, deleting, whatever the address."""
    become(desk, "strict")

    for method, path in (("GET", f"{CONSENTS}/1"), ("POST", PAYMENTS), ("DELETE", f"{CONSENTS}/1"), ("GET", "/v1/accounts")):
        answer = desk.tpp.call(method, path, Date="now")
        assert refusal(answer) == (401, "SIGNATURE_MISSING", "signature.missing")


@pytest.mark.parametrize("personality", ["strict", "standard"])
def test_a_wrong_signature_is_refused_in_the_gateways_words(desk: BankDesk, personality: str) -> None:
    """By a bank that demands one and by one that would do without; the code is the gateway's too."""
    become(desk, personality)
    wrong = desk.tpp.get(f"{CONSENTS}/1", X_Sandbox_Signature=WRONG, Date="now")
    expired = desk.tpp.get(f"{CONSENTS}/1", X_Sandbox_Signature=EXPIRED, Date="now")

    assert refusal(wrong) == (401, "SIGNATURE_INVALID", "signature.date")
    assert (wrong.json["hint"], wrong.json["clause"]) == (TOLD.hint, TOLD.clause)  # type: ignore[index]
    assert read_refusal_header(wrong.headers[HEADER].encode()) == TOLD
    assert refusal(expired) == (401, "CERTIFICATE_EXPIRED", "signature.certificate_expired")


def test_a_good_signature_lets_the_request_on(desk: BankDesk) -> None:
    """To what comes next: there is no such consent."""
    become(desk, "strict")

    answer = desk.tpp.get(f"{CONSENTS}/1", X_Sandbox_Signature="valid", Date="now")
    assert refusal(answer)[:2] == (403, "CONSENT_UNKNOWN")


def test_a_bank_without_signatures_ignores_them(desk: BankDesk) -> None:
    """BG IG §4.2, remark."""
    become(desk, "lenient")

    assert refusal(desk.tpp.get(f"{CONSENTS}/1", X_Sandbox_Signature=WRONG))[1] == "CONSENT_UNKNOWN"


def test_a_verdict_that_cannot_be_read_opens_nothing(desk: BankDesk) -> None:
    """Only the gateway writes them: something is broken."""
    assert desk.tpp.get(f"{CONSENTS}/1", X_Sandbox_Signature="perhaps").status_code == 500


# --- headers


def test_every_header_that_is_missing_is_named(desk: BankDesk) -> None:
    """At once."""
    become(desk, "strict")
    answer: Any = desk.tpp.post(PAYMENTS, payment_body(desk.iban()), X_Sandbox_Signature="valid", PSU_IP_Address="").json

    named = [message["path"] for message in answer["tppMessages"]]
    assert named == ["Date", "PSU-ID", "PSU-IP-Address", "PSU-User-Agent", "TPP-Redirect-URI"]
    assert {message["code"] for message in answer["tppMessages"]} == {"FORMAT_ERROR"}


def test_headers_to_initiate_are_wanted_where_something_is_initiated(desk: BankDesk) -> None:
    """Not where its status is asked for, nor of an authorisation."""
    consent = desk.consent()

    assert desk.tpp.get(f"{CONSENTS}/{consent}", PSU_IP_Address="").status_code == 200
    assert refusal(desk.tpp.post(CONSENTS, consent_body(), PSU_IP_Address=""))[1] == "FORMAT_ERROR"


def test_a_lenient_bank_wants_none(desk: BankDesk) -> None:
    """Not even the PSU's address."""
    become(desk, "lenient")

    assert desk.tpp.post(PAYMENTS, payment_body(desk.iban()), PSU_IP_Address="").status_code == 201
    assert desk.tpp.post(CONSENTS, consent_body(), PSU_IP_Address="").status_code == 201


# --- services and products


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/v1/card-accounts", "GET"),
        ("/v1/bulk-payments/sepa-credit-transfers", "POST"),
    ],
)
def test_a_service_that_the_bank_does_not_have_is_not_there(desk: BankDesk, path: str, method: str) -> None:
    """404, whatever else is wrong with the request."""
    become(desk, "redirect-only")

    assert refusal(desk.tpp.call(method, path, **NO_TOKEN)) == (404, "RESOURCE_UNKNOWN", "service.not_offered")


@pytest.mark.parametrize("product", ["target-2-payments", "cross-border-credit-transfers", "pain.001-sepa-credit-transfers"])
def test_a_product_that_the_bank_does_not_have_is_unknown(desk: BankDesk, product: str) -> None:
    """404 with its own code (BG IG §14.11.2)."""
    become(desk, "redirect-only")

    assert refusal(desk.tpp.post(f"/v1/payments/{product}"))[:2] == (404, "PRODUCT_UNKNOWN")


# --- unknown fields


def test_a_strict_reader_refuses_what_it_does_not_know(desk: BankDesk) -> None:
    """An ignored field could be what mattered."""
    answer: Any = desk.tpp.post(CONSENTS, consent_body(colour="red")).json

    assert [message["path"] for message in answer["tppMessages"]] == ["colour"]


def test_a_lenient_reader_says_what_it_has_ignored(desk: BankDesk) -> None:
    """In the answer that succeeds, as a warning."""
    become(desk, "lenient")
    answer = desk.tpp.post(CONSENTS, consent_body(colour="red"))

    assert answer.status_code == 201
    warning = {"category": "WARNING", "code": "WARNING", "text": "colour is not known here and was ignored", "path": "colour"}
    assert answer.json["tppMessages"] == [warning]  # type: ignore[index]


def test_what_one_request_forgave_is_not_said_of_the_next(desk: BankDesk) -> None:
    """Nor is another tenant's leniency ours."""
    become(desk, "lenient")
    desk.tpp.post(CONSENTS, consent_body(colour="red"))

    steering = desk.tpp.call("PUT", "/sandbox/v1/personality", {"personality": "lenient", "colour": "red"})
    assert (steering.status_code, "tppMessages" in (steering.json or {})) == (400, False)
    assert "tppMessages" not in (desk.tpp.post(CONSENTS, consent_body()).json or {})
    become(desk, "standard")
    assert desk.tpp.post(CONSENTS, consent_body(colour="red")).status_code == 400
