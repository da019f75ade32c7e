"""A TPP's own PSUs' SCA methods as test data: look, add, take away (docs/architecture.md §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from bank_backend.answers import json_answer
from bank_backend.bodies import read_tpp_body
from bank_backend.calls import calling_tenant
from bank_backend.errors import FormatError, PsuUnknown
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import PSU
from bank_backend.sca.model import MethodType
from bank_backend.sca.wire import Method, MethodBody, Methods, method_json, methods_json

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.psus.model import Psu
    from bank_backend.services import Services

_PATH = "/sandbox/v1/sca-methods"


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("sca_methods", __name__)
    enrolment = services.enrolment

    @routes.get(_PATH)
    @operation("See by which methods a PSU confirms", answers={200: Methods}, query=(PSU,))
    def get_methods() -> Response:
        psu = _require_psu(services, request.args.get("psu"))
        return json_answer(methods_json(enrolment.enrolled(psu.tenant, psu.id)))

    @routes.post(_PATH)
    @operation("Give a PSU a method", body=MethodBody, answers={201: Method})
    def post_method() -> Response:
        body = read_tpp_body(request.get_data(), MethodBody)
        added = enrolment.add(_require_psu(services, body.psu), MethodType(body.type))
        return json_answer(method_json(added), status=201)

    @routes.delete(f"{_PATH}/<method>")
    @operation("Take a method away from a PSU", answers={204: None}, query=(PSU,))
    def delete_method(method: str) -> Response:
        psu = _require_psu(services, request.args.get("psu"))
        enrolment.remove(psu.tenant, psu.id, method)
        return Response(status=204)

    app.register_blueprint(routes)


def _require_psu(services: Services, login: str | None) -> Psu:
    """Return the PSU of the calling TPP's own bank; raises `FormatError`, `PsuUnknown`."""
    if not login:
        raise FormatError("psu is missing: name one of your bank's PSUs, as GET /sandbox/v1/data lists them", path="psu")
    tenant = services.tenants.tenant(calling_tenant(request)).id
    psu = services.psus.psu(tenant, login)
    if psu is None:
        raise PsuUnknown(f"your bank has no PSU {login[:40]!r}", path="psu")
    return psu
