"""Each shipped personality answers like a different bank: the same requests, one column of answers for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from bank_backend.personalities.profiles import SHIPPED
from psd2.client_cert_header import encode_client_cert
from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, consent_body, payment_body
from tests.support.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk, Tpp

# Everything that any of them wants.
GOOD: Final = {
    "X_Sandbox_Signature": "valid",
    "Date": "Sun, 22 Nov 2026 17:00:00 GMT",
    "PSU_ID": str(ANNA),
    "PSU_User_Agent": "Mozilla/5.0",
    "TPP_Redirect_URI": "https://tpp.example/back",
    "Client_Cert": encode_client_cert(Authority().qwac().der),
}
NO_TOKEN: Final = {"X_Sandbox_Client": "", "X_Sandbox_Scope": "", "X_Sandbox_Subject": ""}
TRANSACTIONS: Final = "transactions?bookingStatus={}&dateFrom=2026-10-01"


def outcome(answer: TestResponse) -> str:
    """Return the status, and the code of a refusal."""
    if answer.status_code < 400:
        return str(answer.status_code)
    body: Any = answer.json
    return f"{answer.status_code} {body['tppMessages'][0]['code']}"


@dataclass(frozen=True)
class View:
    """A TPP's view of its bank, with a consent of Anna's from when the bank was the standard."""

    desk: BankDesk
    consent: str

    @property
    def tpp(self) -> Tpp:
        return self.desk.tpp


def asked(view: View, **changes: Any) -> TestResponse:
    """Ask for a consent to Anna's first account, until for ever."""
    named = {"access": {"balances": [{"iban": view.desk.iban()}], "transactions": [{"iban": view.desk.iban()}]}}
    return view.tpp.post(CONSENTS, consent_body(**named | changes), **GOOD)


def granted(view: View) -> str:
    """Return until when a consent is good that is asked for without end."""
    location = asked(view, frequencyPerDay=1).headers["Location"]
    consent: Any = view.tpp.get(location, **GOOD).json
    return str(consent["validUntil"])


def initiated(view: View, path: str = PAYMENTS, **headers: str) -> TestResponse:
    """Initiate a payment."""
    return view.tpp.post(path, payment_body(view.desk.iban()), **GOOD | headers)


def approach(view: View) -> str:
    """Return how the PSU is to authorise a payment when the TPP wishes nothing."""
    answer = initiated(view)
    body: Any = answer.json
    links = set(body["_links"]) - {"self", "status", "scaStatus"}
    return f"{answer.headers.get('ASPSP-SCA-Approach')} by {', '.join(sorted(links)) or 'the bank app'}"


def reading(what: str, **headers: str) -> Callable[[View], TestResponse]:
    """Return who reads something of Anna's first account, by a consent that she gave when the bank was the standard."""

    def read(view: View) -> TestResponse:
        account = view.desk.bank.account(ANNA).id
        tpp = view.desk.reader(view.consent)
        return tpp.get(f"/v1/accounts/{account}/{what}", Consent_ID=view.consent, **GOOD | headers)

    return read


def balance_types(view: View) -> str:
    body: Any = reading("balances")(view).json
    return ", ".join(dict.fromkeys(balance["balanceType"] for balance in body["balances"]))


OBSERVATIONS: Final[dict[str, Callable[[View], str]]] = {
    "approach": approach,
    "without a token": lambda view: outcome(reading("balances", **NO_TOKEN)(view)),
    "unsigned": lambda view: outcome(initiated(view, X_Sandbox_Signature="")),
    "without the PSU's address": lambda view: outcome(initiated(view, PSU_IP_Address="")),
    "without a way back": lambda view: outcome(initiated(view, TPP_Redirect_URI="")),
    "an unknown field": lambda view: outcome(asked(view, colour="red")),
    "a consent": granted,
    "four times a day": lambda view: outcome(asked(view)),
    "bank-offered": lambda view: outcome(asked(view, access={"balances": []})),
    "global": lambda view: outcome(asked(view, access={"allPsd2": "allAccounts"})),
    "combined service": lambda view: outcome(asked(view, combinedServiceIndicator=True)),
    "bulk payments": lambda view: outcome(view.tpp.get("/v1/bulk-payments/sepa-credit-transfers/x", **GOOD)),
    "target-2": lambda view: outcome(initiated(view, "/v1/payments/target-2-payments")),
    "pain.001": lambda view: outcome(view.tpp.get("/v1/payments/pain.001-sepa-credit-transfers/x", **GOOD)),
    "card accounts": lambda view: outcome(view.tpp.get("/v1/card-accounts", **GOOD)),
    "balances": balance_types,
    "pending": lambda view: outcome(reading(TRANSACTIONS.format("pending"))(view)),
    "camt.053": lambda view: outcome(reading(TRANSACTIONS.format("booked"), Accept="application/xml")(view)),
    "two years ago": lambda view: outcome(reading("transactions?bookingStatus=booked&dateFrom=2024-10-01")(view)),
}
# What the standard answers; of the others, what they answer otherwise.
EXPECTED: Final[dict[str, dict[str, str]]] = {
    "standard": {
        "approach": "REDIRECT by scaOAuth, scaRedirect",
        "without a token": "401 TOKEN_UNKNOWN",
        "unsigned": "201",
        "without the PSU's address": "400 FORMAT_ERROR",
        "without a way back": "201",
        "an unknown field": "400 FORMAT_ERROR",
        "a consent": "2027-05-17",
        "four times a day": "201",
        "bank-offered": "201",
        "global": "201",
        "combined service": "201",
        "bulk payments": "403 RESOURCE_UNKNOWN",
        "target-2": "201",
        "pain.001": "403 RESOURCE_UNKNOWN",
        "card accounts": "400 FORMAT_ERROR",
        "balances": "interimAvailable, interimBooked, expected, closingBooked",
        "pending": "200",
        "camt.053": "200",
        "two years ago": "200",
    },
    "strict": {
        "approach": "REDIRECT by confirmation, scaOAuth, scaRedirect",
        "unsigned": "401 SIGNATURE_MISSING",
        "without a way back": "400 FORMAT_ERROR",
        "a consent": "2027-02-16",
        "four times a day": "400 FORMAT_ERROR",
        "bank-offered": "400 PARAMETER_NOT_SUPPORTED",
        "global": "400 PARAMETER_NOT_SUPPORTED",
        "combined service": "400 SESSIONS_NOT_SUPPORTED",
        "pain.001": "404 PRODUCT_UNKNOWN",
        "balances": "closingBooked, expected",
        "pending": "400 PARAMETER_NOT_SUPPORTED",
        "camt.053": "406 REQUESTED_FORMATS_INVALID",
        "two years ago": "400 PERIOD_INVALID",
    },
    "lenient": {
        "without a token": "200",
        "without the PSU's address": "201",
        "an unknown field": "201",
    },
    "redirect-only": {
        "approach": "REDIRECT by scaRedirect",
        "without a token": "200",
        "without a way back": "400 FORMAT_ERROR",
        "global": "400 PARAMETER_NOT_SUPPORTED",
        "combined service": "400 SESSIONS_NOT_SUPPORTED",
        "bulk payments": "404 RESOURCE_UNKNOWN",
        "target-2": "404 PRODUCT_UNKNOWN",
        "pain.001": "404 PRODUCT_UNKNOWN",
        "card accounts": "404 RESOURCE_UNKNOWN",
        "balances": "interimAvailable, closingBooked",
        "camt.053": "406 REQUESTED_FORMATS_INVALID",
        "two years ago": "400 PERIOD_INVALID",
    },
    "decoupled": {
        "approach": "DECOUPLED by the bank app",
        "without a token": "200",
        "bank-offered": "400 PARAMETER_NOT_SUPPORTED",
        "pain.001": "404 PRODUCT_UNKNOWN",
    },
    "embedded": {
        "approach": "EMBEDDED by startAuthorisationWithPsuAuthentication",
        "without a token": "200",
        "bank-offered": "400 PARAMETER_NOT_SUPPORTED",
        "combined service": "400 SESSIONS_NOT_SUPPORTED",
        "camt.053": "406 REQUESTED_FORMATS_INVALID",
    },
}


@pytest.mark.parametrize("name", SHIPPED)
def test_each_personality_answers_like_a_bank_of_its_own(desk: BankDesk, name: str) -> None:
    """The same requests to all of them, right ones but for what is looked at."""
    everything = {what: [{"iban": desk.iban()}] for what in ("balances", "transactions")}
    view = View(desk, desk.approved_consent(access=everything))
    desk.bank.services.personalities.choose(TENANT, name)

    assert {what: look(view) for what, look in OBSERVATIONS.items()} == EXPECTED["standard"] | EXPECTED[name]
