"""Faults of a tenant: set, listed, cleared (docs/test-data.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from bank_backend.answers import json_answer
from bank_backend.bodies import read_internal_body
from bank_backend.faults.wire import FaultBody, fault_json
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.shapes.sandbox import Cleared
from bank_backend.openapi.shapes.sandbox import Fault as FaultAnswer
from bank_backend.openapi.shapes.sandbox import Faults as FaultsAnswer
from bank_backend.tenants.addresses import TenantRoutes

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.faults.service import Faults
    from bank_backend.services import Services
    from psd2.ids import TenantId


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("faults", __name__)
    views, addresses = _Views(services.test_data.faults), TenantRoutes(routes, services.tenants)
    addresses.add("/faults", views.list_faults, "GET")
    addresses.add("/faults", views.set_fault, "POST")
    addresses.add("/faults", views.clear_faults, "DELETE")
    addresses.add("/faults/<fault_id>", views.get_fault, "GET")
    addresses.add("/faults/<fault_id>", views.clear_fault, "DELETE")
    app.register_blueprint(routes)


class _Views:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    @operation("List the faults that are set", answers={200: FaultsAnswer})
    def list_faults(self, tenant: TenantId) -> Response:
        return json_answer({"faults": [fault_json(one) for one in self._faults.all(tenant)]})

    @operation("Set a fault", body=FaultBody, answers={201: FaultAnswer})
    def set_fault(self, tenant: TenantId) -> Response:
        new = read_internal_body(request.get_data(), FaultBody).parsed()
        return json_answer(fault_json(self._faults.add(tenant, new)), status=201)

    @operation("Read a fault and what it has done", answers={200: FaultAnswer})
    def get_fault(self, tenant: TenantId, fault_id: str) -> Response:
        return json_answer(fault_json(self._faults.one(tenant, fault_id)))

    @operation("Clear a fault", answers={204: None})
    def clear_fault(self, tenant: TenantId, fault_id: str) -> Response:
        self._faults.clear(tenant, fault_id)
        return Response(status=204)

    @operation("Clear every fault", answers={200: Cleared})
    def clear_faults(self, tenant: TenantId) -> Response:
        return json_answer({"cleared": self._faults.clear(tenant)})
