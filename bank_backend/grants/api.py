"""Grants on the back channel, for the authorization server alone (docs/architecture.md §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.authorisations.model import ResourceKind
from bank_backend.errors import FieldsInvalid
from bank_backend.grants.wire import grant_as_json, parse_grant
from bank_backend.interactions.api import begun_as_json
from bank_backend.tenants.arrivals import answering, arrived
from psd2.ids import TenantId

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.grants.wire import GrantRequest
    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("grants", __name__, url_prefix="/internal/grants")
    grants, interactions = services.grants, services.interactions

    @routes.post("")
    def post_grant() -> Response:
        wanted = parse_grant(request.get_data())
        if wanted.visit is not None:
            interactions.require_own_address(wanted.visit.return_url, field="visit.return_url")
        with services.database.reading() as connection:
            arrival = arrived(wanted.tenant, connection)
        with answering(arrival):
            return json_answer(made(wanted), status=201)

    def made(wanted: GrantRequest) -> dict[str, object]:
        resource = grants.making.make(wanted)
        grants.ending.plan(wanted.tenant, wanted.kind, resource)
        visit = wanted.visit_to(resource)
        return {"resource": resource} | ({} if visit is None else begun_as_json(interactions, interactions.begin(visit)))

    @routes.get("/<any(ais, pis, piis):kind>/<resource>")
    def get_grant(kind: str, resource: str) -> Response:
        return json_answer(grant_as_json(grants.views.view(_tenant(), ResourceKind(kind), resource)))

    @routes.delete("/<any(ais, pis, piis):kind>/<resource>")
    def delete_grant(kind: str, resource: str) -> Response:
        grants.ending.end(_tenant(), ResourceKind(kind), resource)
        return json_answer({})

    app.register_blueprint(routes)


def _tenant() -> TenantId:
    tenant = request.args.get("tenant")
    if tenant is None:
        raise FieldsInvalid({"tenant": "is missing from the query"})
    return TenantId(tenant)
