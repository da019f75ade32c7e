"""`/v1/payments/{product}` (BG IG 1.3.8 §5.3 to §5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from flask import Blueprint

from bank_backend.authorisations.api import add_authorisation_routes
from bank_backend.authorisations.model import ResourceKind
from bank_backend.errors import ProductUnknown
from bank_backend.payments.model import PRODUCT, TransactionStatus
from bank_backend.payments.wire import parse_instruction, payment_as_json, status_as_json
from bank_backend.xs2a import (
    created,
    discovery_url,
    json_body,
    ok,
    require_psu_ip_address,
    resource_links,
    starts_implicitly,
    xs2a_call,
)
from psd2.roles import PspRole

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.payments.service import Payments
    from bank_backend.services import Services
    from psd2.ids import TenantId

_BASE = f"/v1/payments/{PRODUCT}"


class _PaymentSubject:
    kind, role = ResourceKind.PIS, PspRole.PI

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    def path(self, resource: str) -> str:
        return f"{_BASE}/{resource}"

    def is_undecided(self, tenant: TenantId, resource: str) -> bool:
        return self._payments.payment(tenant, resource).status is TransactionStatus.RCVD


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("payments", __name__)
    payments = services.payments

    @routes.post(_BASE)
    def post_payment() -> Response:
        call = xs2a_call(PspRole.PI)
        require_psu_ip_address(call)
        instruction = parse_instruction(json_body())
        payment, authorisation = payments.initiate(
            call.tenant, instruction, x_request_id=call.x_request_id, start_authorisation=starts_implicitly()
        )
        path = f"{_BASE}/{payment.id}"
        links = resource_links(path, authorisation, sca_oauth=discovery_url(services.settings))
        body = {"transactionStatus": payment.status.value, "paymentId": payment.id, "_links": links}
        return created(call, body, location=path)

    @routes.get(f"{_BASE}/<payment>")
    def get_payment(payment: str) -> Response:
        call = xs2a_call(PspRole.PI)
        return ok(call, payment_as_json(payments.payment(call.tenant, payment)))

    @routes.get(f"{_BASE}/<payment>/status")
    def get_status(payment: str) -> Response:
        call = xs2a_call(PspRole.PI)
        return ok(call, status_as_json(payments.payment(call.tenant, payment)))

    @routes.delete(f"{_BASE}/<payment>")
    def delete_payment(payment: str) -> NoReturn:
        call = xs2a_call(PspRole.PI)
        payments.refuse_cancellation(call.tenant, payment)

    routes.add_url_rule("/v1/payments/<product>", view_func=_other_product, methods=["POST"])
    routes.add_url_rule(
        "/v1/payments/<product>/<path:rest>", view_func=_other_product, methods=["GET", "POST", "PUT", "DELETE"]
    )
    add_authorisation_routes(routes, f"{_BASE}/<resource>", _PaymentSubject(payments), services)
    app.register_blueprint(routes)


def _other_product(product: str, rest: str = "") -> NoReturn:
    del rest
    xs2a_call(PspRole.PI)
    raise ProductUnknown(f"this bank offers {PRODUCT}, not {product[:40]!r}")
