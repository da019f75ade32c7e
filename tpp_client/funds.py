"""Funds confirmation for card issuers: the consent (BG Confirmation of Funds Consent 2.0) and the question (BG IG §10)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tpp_client.consents import process_consent_response, process_consent_status_response
from tpp_client.documents import document_of
from tpp_client.refusals import require_status
from tpp_client.xs2a import NO_HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.ids import ConsentId
    from psd2.money import Money
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Access, Xs2a

_CONSENTS = "/v2/consents/confirmation-of-funds"

process_funds_consent_response = process_consent_response
process_funds_consent_status_response = process_consent_status_response


def funds_consent_path(consent_id: ConsentId) -> str:
    """Return the consent's path."""
    return f"{_CONSENTS}/{consent_id}"


def funds_consent_request(xs2a: Xs2a, *, iban: str, headers: Mapping[str, str] = NO_HEADERS) -> HttpResponse:
    """Ask for the consent to put questions about one account."""
    content = {"account": {"iban": iban}, "registrationInformation": "Simulated card issuer"}
    return xs2a.post(_CONSENTS, content, headers=headers)


def funds_consent_status_request(xs2a: Xs2a, consent_id: ConsentId) -> HttpResponse:
    """Ask for the consent's status."""
    return xs2a.get(f"{funds_consent_path(consent_id)}/status")


def funds_consent_deletion_request(xs2a: Xs2a, consent_id: ConsentId) -> HttpResponse:
    """End the consent."""
    return xs2a.delete(funds_consent_path(consent_id))


def funds_confirmation_request(xs2a: Xs2a, access: Access, *, iban: str, amount: Money) -> HttpResponse:
    """Ask whether the account covers an amount now."""
    content = {
        "account": {"iban": iban},
        "instructedAmount": {"currency": amount.currency, "amount": amount.decimal},
    }
    return xs2a.post("/v1/funds-confirmations", content, access=access)


def process_funds_confirmation_response(response: HttpResponse) -> bool:
    """Return the bank's yes or no; nothing else is ever told."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).flag("fundsAvailable")
