"""A whole bank as a transport: every answer is right unless `answers` replaces it. Keys are `METHOD path`, without query."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.unit.tpp_client.fakes import ISSUER, METADATA, answer
from tpp_client.wire import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable

SCA = {"_links": {"scaOAuth": {"href": f"{ISSUER}/.well-known/oauth-authorization-server"}}}
EUR_100 = {"currency": "EUR", "amount": "100.00"}
PERSONAS = [
    {"psu": "anna.weber", "name": "Anna Weber", "password": "x", "accounts": [{"id": "a1", "iban": "DE1", "currency": "EUR"}]},
    {"psu": "max.frei", "name": "Max Frei", "password": "x", "accounts": [{"id": "a2", "iban": "DE2", "currency": "EUR"}]},
]


class FakeBank:
    """Answers like the sandbox; `thumbprint` is what its tokens are bound to."""

    def __init__(self, thumbprint: str) -> None:
        self.requests: list[HttpRequest] = []
        self.answers: dict[str, Callable[[HttpRequest], HttpResponse]] = {
            "GET /.well-known/oauth-authorization-server": lambda _: answer(200, METADATA),
            "POST /v1/consents": lambda _: answer(201, {"consentId": "c1", "consentStatus": "received"} | SCA),
            "GET /v1/consents/c1/status": lambda _: answer(200, {"consentStatus": "valid"}),
            "POST /v1/payments/sepa-credit-transfers": lambda _: answer(
                201, {"paymentId": "p1", "transactionStatus": "RCVD"} | SCA
            ),
            "GET /v1/payments/sepa-credit-transfers/p1/status": lambda _: answer(200, {"transactionStatus": "ACSC"}),
            "POST /v2/consents/confirmation-of-funds": lambda _: answer(
                201, {"consentId": "f1", "consentStatus": "received"} | SCA
            ),
            "POST /v1/funds-confirmations": _funds,
            "POST /sandbox/v1/psu-interactions": _decided,
            "GET /sandbox/v1/data": lambda _: answer(200, {"tenant": "t", "personas": PERSONAS}),
            "POST /token": lambda _: answer(200, {"access_token": "acc3ss", "token_type": "Bearer", "expires_in": 300}),
            "POST /introspect": lambda _: answer(200, {"active": True, "cnf": {"x5t#S256": thumbprint}}),
            "GET /v1/accounts": lambda _: answer(200, {"accounts": [{"resourceId": "a1", "iban": "DE1", "currency": "EUR"}]}),
            "GET /v1/accounts/a1/balances": lambda _: answer(
                200, {"balances": [{"balanceType": "closingBooked", "balanceAmount": EUR_100}]}
            ),
            "GET /v1/accounts/a1/transactions": lambda _: answer(
                200, {"transactions": {"booked": [{"transactionAmount": EUR_100}], "_links": {}}}
            ),
        }

    def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        found = self.answers[f"{request.method} {urlsplit(request.url).path}"](request)
        return HttpResponse(request=request, status=found.status, headers=found.headers, body=found.body)

    @property
    def calls(self) -> list[str]:
        """What was asked, in order."""
        return [f"{request.method} {urlsplit(request.url).path}" for request in self.requests]


def _decided(request: HttpRequest) -> HttpResponse:
    asked = json.loads(request.body or b"{}")
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked["url"]).query).items()}
    outcome = {"code": "c0de"} if asked["result"] == "APPROVED" else {"error": "access_denied"}
    redirect = outcome | {"state": query["state"], "iss": ISSUER}
    return answer(200, {"redirect": f"{query['redirect_uri']}?{urlencode(redirect)}"})


def _funds(request: HttpRequest) -> HttpResponse:
    amount = json.loads(request.body or b"{}")["instructedAmount"]["amount"]
    return answer(200, {"fundsAvailable": float(amount) <= 100})
