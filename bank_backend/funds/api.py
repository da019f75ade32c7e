"""`/v2/consents/confirmation-of-funds` (XS2A-COFC 2.0) and `/v1/funds-confirmations` (BG IG 1.3.8 §10.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.authorisations.api import add_authorisation_routes
from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.model import ConsentStatus
from bank_backend.errors import FormatError
from bank_backend.funds.wire import (
    ConfirmationBody,
    FundsConsentBody,
    funds_consent_as_json,
    parse_funds_consent_request,
    parse_funds_question,
)
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import CONSENT_ID, START_HEADERS
from bank_backend.openapi.shapes.authorising import ConsentCreated, ConsentStatusAnswer, FundsAnswer, FundsConsent
from bank_backend.repeats.model import Made, making_request
from bank_backend.xs2a import created, json_body, no_content, ok, require_startable, started, xs2a_call
from psd2.roles import PspRole

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.funds.service import FundsConsents
    from bank_backend.services import Services
    from psd2.ids import TenantId

_BASE = "/v2/consents/confirmation-of-funds"


class _FundsSubject:
    kind, role = ResourceKind.PIIS, PspRole.IC

    def __init__(self, consents: FundsConsents) -> None:
        self._consents = consents

    def path(self, resource: str) -> str:
        return f"{_BASE}/{resource}"

    def is_undecided(self, tenant: TenantId, resource: str) -> bool:
        return self._consents.consent(tenant, resource).status in {ConsentStatus.RECEIVED, ConsentStatus.PARTIALLY_AUTHORISED}


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("funds", __name__)
    consents = services.funds_consents

    @routes.post(_BASE)
    @operation("Ask for a funds consent", body=FundsConsentBody, answers={201: ConsentCreated}, headers=START_HEADERS)
    def post_consent() -> Response:
        call = xs2a_call(PspRole.IC)
        asked = parse_funds_consent_request(json_body())
        require_startable(call, services)
        making = making_request(call.tenant, Made.FUNDS_CONSENT, x_request_id=call.x_request_id, asked=json_body())
        consent = consents.create(call.tenant, asked, asked=making)
        path = f"{_BASE}/{consent.id}"
        begun = started(call, services, kind=ResourceKind.PIIS, path=path, resource=consent.id)
        body = begun.added_to({"consentStatus": consent.status.value, "consentId": consent.id})
        return created(call, body, location=path, headers=begun.headers)

    @routes.get(f"{_BASE}/<consent>")
    @operation("Read a funds consent", answers={200: FundsConsent})
    def get_consent(consent: str) -> Response:
        call = xs2a_call(PspRole.IC)
        return ok(call, funds_consent_as_json(consents.consent(call.tenant, consent)))

    @routes.get(f"{_BASE}/<consent>/status")
    @operation("Read the status of a funds consent", answers={200: ConsentStatusAnswer})
    def get_status(consent: str) -> Response:
        call = xs2a_call(PspRole.IC)
        return ok(call, {"consentStatus": consents.consent(call.tenant, consent).status.value})

    @routes.delete(f"{_BASE}/<consent>")
    @operation("End a funds consent", answers={204: None})
    def delete_consent(consent: str) -> Response:
        call = xs2a_call(PspRole.IC)
        consents.terminate(call.tenant, consent)
        return no_content(call)

    add_authorisation_routes(routes, f"{_BASE}/<resource>", _FundsSubject(consents), services)
    _add_confirmations(routes, services)
    app.register_blueprint(routes)


def _add_confirmations(routes: Blueprint, services: Services) -> None:
    @routes.post("/v1/funds-confirmations")
    @operation("Ask whether an amount is available", body=ConfirmationBody, answers={200: FundsAnswer}, headers=(CONSENT_ID,))
    def post_confirmation() -> Response:
        call = xs2a_call(PspRole.IC)
        question = parse_funds_question(json_body())
        is_covered = services.funds_confirmations.is_covered(call, consent_id=_consent_id(), question=question)
        return ok(call, {"fundsAvailable": is_covered})


def _consent_id() -> str:
    values = request.headers.getlist("Consent-ID")
    if len(values) != 1:
        text = f"the header Consent-ID is given {len(values)} times: send once the id of the funds consent"
        raise FormatError(text, path="Consent-ID")
    return values[0]
