"""`/v1/signing-baskets` (BG IG 1.3.8 §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from bank_backend.authorisations.api import add_authorisation_routes
from bank_backend.authorisations.model import ResourceKind
from bank_backend.baskets.wire import BasketBody, basket_as_json, parse_basket
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import START_HEADERS
from bank_backend.openapi.shapes.authorising import Basket, BasketCreated, BasketStatus
from bank_backend.xs2a import created, json_body, no_content, ok, require_startable, started, xs2a_call
from psd2.roles import PspRole

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.baskets.service import Baskets
    from bank_backend.services import Services
    from psd2.ids import TenantId

_BASE = "/v1/signing-baskets"


class _BasketSubject:
    kind, role = ResourceKind.BASKET, PspRole.PI

    def __init__(self, baskets: Baskets) -> None:
        self._baskets = baskets

    def path(self, resource: str) -> str:
        return f"{_BASE}/{resource}"

    def is_undecided(self, tenant: TenantId, resource: str) -> bool:
        return self._baskets.basket(tenant, resource).is_undecided


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("baskets", __name__)
    baskets = services.baskets

    @routes.post(_BASE)
    @operation("Group for one signature", body=BasketBody, answers={201: BasketCreated}, headers=START_HEADERS)
    def post_basket() -> Response:
        call = xs2a_call(PspRole.PI)
        grouping = parse_basket(json_body())
        if grouping.has_consents:
            # Consents are an AISP's: whoever groups them has to be one as well.
            xs2a_call(PspRole.AI)
        require_startable(call, services, kind=ResourceKind.BASKET)
        basket = baskets.group(call.tenant, grouping, x_request_id=call.x_request_id)
        path = f"{_BASE}/{basket.id}"
        begun = started(call, services, kind=ResourceKind.BASKET, path=path, resource=basket.id)
        body = begun.added_to({"transactionStatus": basket.status.value, "basketId": basket.id})
        return created(call, body, location=path, headers=begun.headers)

    @routes.get(f"{_BASE}/<basket>")
    @operation("Read a signing basket", answers={200: Basket})
    def get_basket(basket: str) -> Response:
        call = xs2a_call(PspRole.PI)
        return ok(call, basket_as_json(baskets.basket(call.tenant, basket)))

    @routes.get(f"{_BASE}/<basket>/status")
    @operation("Read the status of a signing basket", answers={200: BasketStatus})
    def get_status(basket: str) -> Response:
        call = xs2a_call(PspRole.PI)
        return ok(call, {"transactionStatus": baskets.basket(call.tenant, basket).status.value})

    @routes.delete(f"{_BASE}/<basket>")
    @operation("Take a signing basket apart", answers={204: None})
    def delete_basket(basket: str) -> Response:
        call = xs2a_call(PspRole.PI)
        baskets.delete(call.tenant, basket)
        return no_content(call)

    add_authorisation_routes(routes, f"{_BASE}/<resource>", _BasketSubject(baskets), services)
    app.register_blueprint(routes)
