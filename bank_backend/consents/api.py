"""`/v1/consents` (BG IG 1.3.8 §6.3, §6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from bank_backend.authorisations.api import add_authorisation_routes
from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.bodies import ConsentBody
from bank_backend.consents.model import UNDECIDED, AccessModel
from bank_backend.consents.requests import parse_consent_request
from bank_backend.consents.wire import consent_as_json
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import START_HEADERS
from bank_backend.openapi.shapes.authorising import Consent, ConsentCreated, ConsentStatusAnswer
from bank_backend.repeats.model import Made, making_request
from bank_backend.xs2a import (
    created,
    json_body,
    no_content,
    ok,
    require_startable,
    started,
    xs2a_call,
)
from psd2.roles import PspRole

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.consents.service import Consents
    from bank_backend.services import Services
    from psd2.ids import TenantId

_BASE = "/v1/consents"


class _ConsentSubject:
    kind, role = ResourceKind.AIS, PspRole.AI

    def __init__(self, consents: Consents) -> None:
        self._consents = consents

    def path(self, resource: str) -> str:
        return f"{_BASE}/{resource}"

    def is_undecided(self, tenant: TenantId, resource: str) -> bool:
        return self._consents.consent(tenant, resource).status in UNDECIDED


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("consents", __name__)
    consents = services.consents

    @routes.post(_BASE)
    @operation("Ask for a consent", body=ConsentBody, answers={201: ConsentCreated}, headers=START_HEADERS)
    def post_consent() -> Response:
        call = xs2a_call(PspRole.AI)
        personality, today = services.personalities.of(call.tenant), services.clock.now(call.tenant).date()
        asked = parse_consent_request(json_body(), today=today, personality=personality)
        require_startable(call, services, psu_chooses=asked.access.model is AccessModel.BANK_OFFERED)
        making = making_request(call.tenant, Made.CONSENT, x_request_id=call.x_request_id, asked=json_body())
        consent = consents.create(call.tenant, asked, asked=making)
        path = f"{_BASE}/{consent.id}"
        begun = started(call, services, kind=ResourceKind.AIS, path=path, resource=consent.id)
        body = begun.added_to({"consentStatus": consent.status.value, "consentId": consent.id})
        return created(call, body, location=path, headers=begun.headers)

    @routes.get(f"{_BASE}/<consent>")
    @operation("Read a consent", answers={200: Consent})
    def get_consent(consent: str) -> Response:
        call = xs2a_call(PspRole.AI)
        return ok(call, consent_as_json(consents.consent(call.tenant, consent)))

    @routes.get(f"{_BASE}/<consent>/status")
    @operation("Read the status of a consent", answers={200: ConsentStatusAnswer})
    def get_status(consent: str) -> Response:
        call = xs2a_call(PspRole.AI)
        return ok(call, {"consentStatus": consents.consent(call.tenant, consent).status.value})

    @routes.delete(f"{_BASE}/<consent>")
    @operation("End a consent", answers={204: None})
    def delete_consent(consent: str) -> Response:
        call = xs2a_call(PspRole.AI)
        consents.terminate(call.tenant, consent)
        return no_content(call)

    add_authorisation_routes(routes, f"{_BASE}/<resource>", _ConsentSubject(consents), services)
    app.register_blueprint(routes)
