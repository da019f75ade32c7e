"""Registration by the portal (`/internal/tenants`), and what a TPP may know of its own tenant (`/sandbox/v1/data`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.bodies import read_internal_body
from bank_backend.calls import calling_tenant
from bank_backend.errors import FieldsInvalid
from bank_backend.tenants.wire import RegistrationBody, data_json
from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.ids import TenantId

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("tenants", __name__)
    tenants = services.tenants

    # `path:` because an NCA may put slashes into its identifiers.
    @routes.put("/internal/tenants/<path:number>")
    def put_tenant(number: str) -> Response:
        registration = read_internal_body(request.get_data(), RegistrationBody).parsed(_tenant(number))
        tenant, is_new = tenants.register(registration)
        return json_answer(data_json(tenant, tenants.residents(tenant.id)), status=201 if is_new else 200)

    @routes.get("/internal/tenants/<path:number>")
    def get_tenant(number: str) -> Response:
        tenant = tenants.tenant(TenantId(number))
        return json_answer(data_json(tenant, tenants.residents(tenant.id)))

    @routes.get("/sandbox/v1/data")
    def get_data() -> Response:
        tenant = tenants.tenant(calling_tenant(request))
        return json_answer(data_json(tenant, tenants.residents(tenant.id)))

    app.register_blueprint(routes)


def _tenant(number: str) -> TenantId:
    try:
        return TenantId(str(AuthorisationNumber.parse(number)))
    except InvalidAuthorisationNumber as error:
        raise FieldsInvalid({"tenant": str(error)}) from None
