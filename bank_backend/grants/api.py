"""Grants on the back channel, for the authorization server alone (docs/architecture.md §3.2)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.authorisations.model import ResourceKind
from bank_backend.doors import require_own_door
from bank_backend.errors import FieldsInvalid
from bank_backend.grants.wire import grant_as_json, parse_grant
from bank_backend.interactions.api import begun_as_json
from bank_backend.interactions.wire import interaction_as_json
from bank_backend.tenants.arrival_store import Arrivals
from bank_backend.tenants.arrivals import answering
from chassis.serving.straight_way import raise_what_was_raised
from psd2.ids import TenantId

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIEnvironment

    from flask import Flask, Response

    from bank_backend.grants.granting import Granted
    from bank_backend.interactions.service import Interactions
    from bank_backend.services import Services
    from chassis.serving.straight_way import Answer, PostedEndpoint

PATH: Final = "/internal/grants"


def grant_endpoint(services: Services) -> PostedEndpoint:
    """Return what makes grants: the same before Flask is asked, and in Flask."""
    arrivals, interactions = Arrivals(services.database), services.interactions

    def grant(environ: WSGIEnvironment, read: Callable[[], bytes]) -> Answer:
        require_own_door(PATH, environ)
        wanted = parse_grant(read())
        if wanted.visit is not None:
            interactions.require_own_address(wanted.visit.return_url, field="visit.return_url")
        with answering(arrivals.of(wanted.tenant)):
            granted = services.granting.grant(wanted)
        return HTTPStatus.CREATED, made_as_json(interactions, granted, tells=wanted.decision is not None)

    return grant


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("grants", __name__, url_prefix=PATH)
    grants, grant = services.grants, grant_endpoint(services)

    @routes.post("")
    def post_grant() -> Response:
        raise_what_was_raised(request.environ)
        status, document = grant(request.environ, request.get_data)
        return json_answer(document, status=status)

    @routes.get("/<any(ais, pis, piis):kind>/<resource>")
    def get_grant(kind: str, resource: str) -> Response:
        return json_answer(grant_as_json(grants.views.view(_tenant(), ResourceKind(kind), resource)))

    @routes.delete("/<any(ais, pis, piis):kind>/<resource>")
    def delete_grant(kind: str, resource: str) -> Response:
        grants.ending.end(_tenant(), ResourceKind(kind), resource)
        return json_answer({})

    app.register_blueprint(routes)


def made_as_json(interactions: Interactions, granted: Granted, *, tells: bool) -> dict[str, object]:
    """Write what was made, with the visit that begins for it, if one does; `tells`: with what became of that, too."""
    visit = granted.visit
    if visit is None:
        return {"resource": granted.resource}
    begun = {"resource": granted.resource} | begun_as_json(interactions, visit)
    return begun | interaction_as_json(visit, granted.told) if tells else begun


def _tenant() -> TenantId:
    tenant = request.args.get("tenant")
    if tenant is None:
        raise FieldsInvalid({"tenant": "is missing from the query"})
    return TenantId(tenant)
