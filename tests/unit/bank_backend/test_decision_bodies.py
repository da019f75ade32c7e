"""Bodies of consents, payments and funds against the official YAMLs, where they lie beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bank_core import ANNA
from tests.support.bank_sca import CONSENTS, FUNDS, PAYMENTS, BankDesk, Tpp, consent_body, payment_body
from tests.support.openapi_schema import SANDBOX_MEMBERS, faults, load_schemas

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

SPECIFICATIONS = Path(__file__).parents[4] / "shared" / "specs" / "berlin-group"
XS2A = SPECIFICATIONS / "psd2-api_v1.3.11-2021-10-01v1.yaml"
COFC = SPECIFICATIONS / "psd2-confirmation-of-funds-consent_2.0_20190607.yaml"
pytestmark = pytest.mark.skipif(not XS2A.exists(), reason=f"the specification is not at {XS2A}")
UNKNOWN = "11111111-2222-4333-8444-555555555555"
# Data extensions of BG IG §4.16, in docs/divergences.md.
EXTENSIONS = SANDBOX_MEMBERS | {"reasonCode"}


def require_valid(answer: TestResponse, schema: str, *, file: Path = XS2A) -> None:
    schemas = load_schemas(file)
    body: Any = answer.json
    found = faults({name: value for name, value in body.items() if name not in EXTENSIONS}, schemas[schema], schemas)
    assert not found, found[:5]


@pytest.mark.parametrize(
    "access",
    [
        {"balances": [], "transactions": []},
        {"accounts": [], "additionalInformation": {"ownerName": []}},
        {"availableAccounts": "allAccounts"},
        {"availableAccountsWithBalance": "allAccountsWithOwnerName"},
        {"allPsd2": "allAccounts"},
    ],
)
def test_consents_of_every_model(desk: BankDesk, access: dict[str, Any]) -> None:
    """Made, read before and after approval, and its authorisation."""
    made = desk.tpp.post(CONSENTS, consent_body(access=access))
    require_valid(made, "consentsResponse-201")
    path = made.headers["Location"]
    require_valid(desk.tpp.get(path), "consentInformationResponse-200_json")

    desk.decide(desk.begin("ais", made.json["consentId"]))  # type: ignore[index]

    require_valid(desk.tpp.get(path), "consentInformationResponse-200_json")
    require_valid(desk.tpp.get(f"{path}/status"), "consentStatusResponse-200")
    require_valid(desk.tpp.get(f"{path}/authorisations"), "authorisations")


def test_an_authorisation_started_by_the_tpp(desk: BankDesk) -> None:
    """The answer and its status."""
    started = desk.tpp.post(f"{CONSENTS}/{desk.consent()}/authorisations", {})

    require_valid(started, "startScaprocessResponse")
    require_valid(desk.tpp.get(started.headers["Location"]), "scaStatusResponse")


@pytest.mark.parametrize("amount", ["12.50", "99999999.00"])
def test_payments_booked_and_rejected(desk: BankDesk, amount: str) -> None:
    """Initiated, read, and its status at both ends."""
    body = payment_body(desk.iban(), instructedAmount={"currency": "EUR", "amount": amount}, endToEndIdentification="E2E")
    made = desk.tpp.post(PAYMENTS, body)
    require_valid(made, "paymentInitationRequestResponse-201")

    desk.decide(desk.begin("pis", made.json["paymentId"]))  # type: ignore[index]

    require_valid(desk.tpp.get(made.headers["Location"]), "paymentInitiationWithStatusResponse")
    require_valid(desk.tpp.get(made.headers["Location"] + "/status"), "paymentInitiationStatusResponse-200_json")


def test_funds_consents_and_confirmations(desk: BankDesk) -> None:
    """By the funds-consent YAML; the confirmation's answer is one flag."""
    made = desk.tpp.post(FUNDS, {"account": {"iban": desk.iban()}, "cardNumber": "1234", "cardExpiryDate": "2030-01-01"})
    require_valid(made, "ConsentsConfirmationOfFundsResponse", file=COFC)
    consent = made.json["consentId"]  # type: ignore[index]
    desk.decide(desk.begin("piis", consent))
    require_valid(desk.tpp.get(made.headers["Location"]), "ConsentConfirmationOfFundsContentResponse", file=COFC)
    require_valid(desk.tpp.get(made.headers["Location"] + "/status"), "ConsentConfirmationOfFundsStatusResponse", file=COFC)
    question = {"account": {"iban": desk.iban()}, "instructedAmount": {"currency": "EUR", "amount": "1"}}
    issuer = Tpp(desk.app.test_client(), scope=f"PIIS:{consent}", subject=ANNA)

    answer = issuer.post("/v1/funds-confirmations", question, Consent_ID=consent)

    assert answer.json == {"fundsAvailable": True}


@pytest.mark.parametrize(
    ("method", "path", "schema"),
    [
        ("POST", CONSENTS, "Error400_NG_AIS"),
        ("GET", f"{CONSENTS}/{UNKNOWN}", "Error403_NG_AIS"),
        ("PUT", f"{CONSENTS}/{UNKNOWN}/authorisations/x", "Error403_NG_AIS"),
        ("POST", PAYMENTS, "Error400_NG_PIS"),
        ("GET", f"{PAYMENTS}/{UNKNOWN}", "Error403_NG_PIS"),
        ("POST", "/v1/payments/sepa-direct-debits", "Error404_NG_PIS"),
        ("POST", "/v1/funds-confirmations", "Error400_NG_PIIS"),
    ],
)
def test_refusals(desk: BankDesk, method: str, path: str, schema: str) -> None:
    """Each is a tppMessages body with a code of its status and service, and says what helps."""
    answer = desk.tpp.call(method, path, {})
    assert answer.json.keys() > SANDBOX_MEMBERS  # type: ignore[union-attr]
    require_valid(answer, schema)


def test_a_payment_that_can_not_be_cancelled(desk: BankDesk) -> None:
    """405 of the cancellation, which has codes of its own."""
    payment = desk.payment()
    desk.decide(desk.begin("pis", payment))

    require_valid(desk.tpp.delete(f"{PAYMENTS}/{payment}"), "Error405_NG_PIS_CANC")
