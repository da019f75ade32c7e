"""Payment initiation: single, future-dated, periodic and bulk payments, and their cancellation (BG IG 1.3.8 §5.3-5.6).

Addresses are `/v1/{service}/{product}` (XS2A 1.3.11).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from psd2.ids import PaymentId
from tpp_client.authorisations import ScaStep, sca_step
from tpp_client.documents import document_of
from tpp_client.refusals import require_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from psd2.money import Money
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a

PRODUCT = "sepa-credit-transfers"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class PaymentService(StrEnum):
    """The payment services, by their segment of the path (BG IG §4.2)."""

    SINGLE = "payments"
    BULK = "bulk-payments"
    PERIODIC = "periodic-payments"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """Who pays whom how much, and when: `execution_date` None means at once."""

    debtor_iban: str
    creditor_iban: str
    creditor_name: str
    amount: Money
    remittance: str
    execution_date: date | None = None

    def as_json(self) -> dict[str, object]:
        """Return the request body."""
        due = {"requestedExecutionDate": self.execution_date.isoformat()} if self.execution_date else {}
        return {"debtorAccount": {"iban": self.debtor_iban}, **self.credit(), **due}

    def credit(self) -> dict[str, object]:
        """Return the payee's side, as it stands in each payment of a bulk."""
        remittance = {"remittanceInformationUnstructured": self.remittance} if self.remittance else {}
        return {
            "instructedAmount": {"currency": self.amount.currency, "amount": self.amount.decimal},
            "creditorAccount": {"iban": self.creditor_iban},
            "creditorName": self.creditor_name,
            **remittance,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrder:
    """A payment again and again, such as `frequency="Monthly"` from `start` on (`periodicPaymentInitiation_json`)."""

    order: PaymentOrder
    start: date
    frequency: str
    end: date | None = None
    execution_rule: str | None = None
    day_of_execution: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return the request body."""
        end = {"endDate": self.end.isoformat()} if self.end else {}
        rule = {"executionRule": self.execution_rule} if self.execution_rule else {}
        day = {"dayOfExecution": str(self.day_of_execution)} if self.day_of_execution else {}
        return {**self.order.as_json(), "startDate": self.start.isoformat(), "frequency": self.frequency, **end, **rule, **day}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrder:
    """Several payments out of one account, authorised once (`bulkPaymentInitiation_json`)."""

    orders: tuple[PaymentOrder, ...]
    is_one_debit: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the request body; all orders have the first one's debtor and day."""
        first = self.orders[0]
        due = {"requestedExecutionDate": first.execution_date.isoformat()} if first.execution_date else {}
        return {
            "batchBookingPreferred": self.is_one_debit,
            "debtorAccount": {"iban": first.debtor_iban},
            "payments": [order.credit() for order in self.orders],
            **due,
        }


Order = PaymentOrder | StandingOrder | BulkOrder


def service_of(order: Order) -> PaymentService:
    """Return the payment service that takes such an order."""
    if isinstance(order, StandingOrder):
        return PaymentService.PERIODIC
    return PaymentService.BULK if isinstance(order, BulkOrder) else PaymentService.SINGLE


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiatedPayment:
    """A payment the bank has taken down (`RCVD`), to be authorised by the PSU as `sca` says."""

    payment_id: PaymentId
    status: str
    sca: ScaStep
    service: PaymentService = PaymentService.SINGLE
    product: str = PRODUCT

    @property
    def path(self) -> str:
        """The payment's path."""
        return f"/v1/{self.service}/{self.product}/{self.payment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What became of a wish to cancel: done, or waiting for the PSU as `sca` says."""

    is_done: bool
    sca: ScaStep | None = None


def payment_request(
    xs2a: Xs2a, order: Order, *, product: str = PRODUCT, headers: Mapping[str, str] = _NO_HEADERS
) -> HttpResponse:
    """Initiate a payment; its X-Request-ID makes sure that it is initiated once."""
    return xs2a.post(f"/v1/{service_of(order)}/{product}", order.as_json(), headers=headers)


def process_payment_response(
    response: HttpResponse, *, service: PaymentService = PaymentService.SINGLE, product: str = PRODUCT
) -> InitiatedPayment:
    """Judge the answer to an initiation."""
    require_status(response, HTTPStatus.CREATED)
    document = document_of(response)
    return InitiatedPayment(
        payment_id=PaymentId(document.text("paymentId")),
        status=document.text("transactionStatus"),
        sca=sca_step(response),
        service=service,
        product=product,
    )


def payment_details_request(
    xs2a: Xs2a, payment_id: PaymentId, *, service: PaymentService = PaymentService.SINGLE, product: str = PRODUCT
) -> HttpResponse:
    """Ask for the payment as the bank has it."""
    return xs2a.get(f"/v1/{service}/{product}/{payment_id}")


def process_payment_details_response(response: HttpResponse) -> Money:
    """Return the amount that the bank has taken down."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).money("instructedAmount")


def payment_status_request(
    xs2a: Xs2a, payment_id: PaymentId, *, service: PaymentService = PaymentService.SINGLE, product: str = PRODUCT
) -> HttpResponse:
    """Ask how far the payment is."""
    return xs2a.get(f"/v1/{service}/{product}/{payment_id}/status")


def process_payment_status_response(response: HttpResponse) -> str:
    """Return the status by its ISO 20022 code, such as `RCVD` or `ACSC` (BG IG §14.13)."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("transactionStatus")


def cancellation_request(xs2a: Xs2a, payment: InitiatedPayment, *, headers: Mapping[str, str] = _NO_HEADERS) -> HttpResponse:
    """Ask the bank to cancel a payment that it has not executed yet (BG IG §5.6)."""
    return xs2a.delete(payment.path, headers=headers)


def process_cancellation_response(response: HttpResponse) -> Cancellation:
    """Judge the answer: cancelled, or to be authorised by the PSU first."""
    require_status(response, HTTPStatus.NO_CONTENT, HTTPStatus.ACCEPTED)
    if response.status == HTTPStatus.NO_CONTENT:
        return Cancellation(is_done=True)
    return Cancellation(is_done=False, sca=sca_step(response))
