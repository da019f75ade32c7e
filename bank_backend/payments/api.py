"""`/v1/{payment-service}/{payment-product}` and what is under it (BG IG 1.3.8 §5.3 to §5.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, request

from bank_backend.authorisations.api import add_authorisation_routes
from bank_backend.authorisations.model import ResourceKind
from bank_backend.errors import FormatError, ProductUnknown
from bank_backend.openapi.declarations import JSON, Text, operation
from bank_backend.openapi.parameters import PSU_HEADERS, REDIRECT_HEADERS, START_HEADERS
from bank_backend.openapi.shapes.payments import (
    BulkPayment,
    CancellationStarted,
    PaymentCreated,
    PaymentStatus,
    PeriodicPayment,
)
from bank_backend.openapi.shapes.payments import Payment as SinglePayment
from bank_backend.payments.answers import information_answer, initiated, status_answer
from bank_backend.payments.bodies import (
    BulkBody,
    CrossBorderPeriodicBody,
    CrossBorderSingleBody,
    CrossBorderTransferBody,
    SepaPeriodicBody,
    SepaSingleBody,
    SepaTransferBody,
    Target2PeriodicBody,
    Target2SingleBody,
    Target2TransferBody,
)
from bank_backend.payments.model import UNDER_WAY, TransactionStatus
from bank_backend.payments.products import PRODUCTS
from bank_backend.payments.requests import MULTIPART, XML, read_initiation
from bank_backend.payments.service import Place
from bank_backend.personalities.model import PaymentService
from bank_backend.xs2a import accepted, created, no_content, require_startable, started, xs2a_call
from psd2.roles import PspRole

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.calls import TppCall
    from bank_backend.payments.products import Product
    from bank_backend.personalities.model import Personality
    from bank_backend.services import Services
    from psd2.ids import TenantId

_SERVICES = ", ".join(f'"{service}"' for service in PaymentService)
_COLLECTION = f"/v1/<any({_SERVICES}):service>/<product>"
_PAYMENT = f"{_COLLECTION}/<resource>"
_CANCELLATIONS = "cancellation-authorisations"
_PAIN_001 = Text("A pain.001.001.03 or pain.001.001.09 message.")
_PAIN_002 = Text("A pain.002.001.03 or pain.002.001.10 report.")
_PARTS = Text("The parts xml_sct (pain.001) and json_standingorderType.")
_BODIES = (
    SepaSingleBody
    | Target2SingleBody
    | CrossBorderSingleBody
    | SepaPeriodicBody
    | Target2PeriodicBody
    | CrossBorderPeriodicBody
    | BulkBody[SepaTransferBody]
    | BulkBody[Target2TransferBody]
    | BulkBody[CrossBorderTransferBody]
)


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("payments", __name__)
    # Service and product stand in every path: taken out here, so that what all resources share need not know of them.
    routes.url_value_preprocessor(_take_kind)
    views = _PaymentViews(services)
    routes.add_url_rule(_COLLECTION, "initiate_payment", views.initiate, methods=["POST"])
    routes.add_url_rule(_PAYMENT, "get_payment", views.information, methods=["GET"])
    routes.add_url_rule(_PAYMENT, "cancel_payment", views.cancel, methods=["DELETE"])
    routes.add_url_rule(f"{_PAYMENT}/status", "get_payment_status", views.status, methods=["GET"])
    add_authorisation_routes(routes, _PAYMENT, _PaymentSubject(services), services)
    add_authorisation_routes(routes, _PAYMENT, _CancellationSubject(services), services, segment=_CANCELLATIONS)
    app.register_blueprint(routes)


def _take_kind(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values is not None:
        g.payment_service, g.payment_product = values.pop("service"), values.pop("product")


class _PaymentViews:
    def __init__(self, services: Services) -> None:
        self._services = services

    @operation(
        "Initiates a payment",
        body={JSON: _BODIES, XML: _PAIN_001, MULTIPART: _PARTS},
        answers={201: PaymentCreated},
        headers=START_HEADERS,
    )
    def initiate(self) -> Response:
        call = xs2a_call(PspRole.PI)
        service = PaymentService(g.payment_service)
        product = _offered(service, self._services.personalities.of(call.tenant))
        call = self._in_session(call)
        require_startable(call, self._services)
        payment, costs = self._services.payments.initiate(read_initiation(call, service, product))
        begun = started(call, self._services, kind=ResourceKind.PIS, path=payment.path, resource=payment.id)
        return created(call, begun.added_to(initiated(payment, costs)), location=payment.path, headers=begun.headers)

    def _in_session(self, call: TppCall) -> TppCall:
        """Return the call with the PSU whose session it continues, where it names one by its consent (BG IG §9)."""
        consent = request.headers.get("Consent-ID")
        if consent is None:
            return call
        with self._services.database.reading() as connection:
            psu = self._services.consents.session_psu(connection, call, consent)
        if call.psu_id not in {None, psu}:
            raise FormatError("PSU-ID names another PSU than the consent's: leave one of them out", path="PSU-ID")
        return replace(call, psu_id=psu)

    @operation(
        "Tells what was initiated",
        answers={200: {JSON: SinglePayment | PeriodicPayment | BulkPayment, XML: _PAIN_001, MULTIPART: _PARTS}},
        headers=PSU_HEADERS,
    )
    def information(self, resource: str) -> Response:
        call = xs2a_call(PspRole.PI)
        return information_answer(call, self._services.payments.view(_place(call.tenant, resource)))

    @operation("Tells the status", answers={200: {JSON: PaymentStatus, XML: _PAIN_002}}, headers=PSU_HEADERS)
    def status(self, resource: str) -> Response:
        call = xs2a_call(PspRole.PI)
        return status_answer(call, self._services.payments.view(_place(call.tenant, resource)))

    @operation(
        "Cancels a payment, at once or once its PSU agrees",
        answers={202: CancellationStarted, 204: None},
        headers=(*PSU_HEADERS, *REDIRECT_HEADERS),
    )
    def cancel(self, resource: str) -> Response:
        call = xs2a_call(PspRole.PI)
        personality = self._services.personalities.of(call.tenant)
        payment = self._services.payments.cancel(_place(call.tenant, resource), personality)
        if payment.status is TransactionStatus.CANC:
            return no_content(call)
        # BG IG §5.6: of the links to an authorisation, the answer has those that start one.
        begun = started(
            call,
            self._services,
            kind=ResourceKind.CANCELLATION,
            path=payment.path,
            resource=payment.id,
            segment=_CANCELLATIONS,
            implicit=False,
        )
        return accepted(call, begun.added_to({"transactionStatus": payment.status.value}), headers=begun.headers)


class _PaymentSubject:
    kind, role = ResourceKind.PIS, PspRole.PI

    def __init__(self, services: Services) -> None:
        self._services = services

    def path(self, resource: str) -> str:
        return f"/v1/{g.payment_service}/{g.payment_product}/{resource}"

    def is_undecided(self, tenant: TenantId, resource: str) -> bool:
        return self._services.payments.payment(_place(tenant, resource)).is_undecided


class _CancellationSubject(_PaymentSubject):
    kind = ResourceKind.CANCELLATION

    def is_undecided(self, tenant: TenantId, resource: str) -> bool:
        return self._services.payments.payment(_place(tenant, resource)).status in UNDER_WAY


def _place(tenant: TenantId, resource: str) -> Place:
    """Return where the call in hand looks; raises `ProductUnknown`."""
    _product()
    return Place(tenant=tenant, service=g.payment_service, product=g.payment_product, payment=resource)


def _offered(service: PaymentService, personality: Personality) -> Product:
    """Return the product of the call in hand; raises `ProductUnknown` where this bank does not offer it."""
    product = _product()
    offered = product.product in personality.payment_products and product.format in personality.payment_formats
    if service not in personality.payment_services or not offered:
        raise ProductUnknown(f"this bank does not offer {request.path[:100]}")
    return product


def _product() -> Product:
    if g.payment_product not in PRODUCTS:
        raise ProductUnknown(f"there is no product {g.payment_product[:60]!r}: there are {', '.join(PRODUCTS)}")
    return PRODUCTS[g.payment_product]
