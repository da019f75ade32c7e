"""Payment initiation: single payments as SEPA credit transfers (BG IG 1.3.8 §5.3-5.5, XS2A 1.3.11 `/v1/payments`)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from psd2.ids import PaymentId
from tpp_client.documents import document_of
from tpp_client.refusals import require_status

if TYPE_CHECKING:
    from psd2.money import Money
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a

PRODUCT = "sepa-credit-transfers"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """Who pays whom how much."""

    debtor_iban: str
    creditor_iban: str
    creditor_name: str
    amount: Money
    remittance: str

    def as_json(self) -> dict[str, object]:
        """Return the request body."""
        remittance = {"remittanceInformationUnstructured": self.remittance} if self.remittance else {}
        return {
            "debtorAccount": {"iban": self.debtor_iban},
            "instructedAmount": {"currency": self.amount.currency, "amount": self.amount.decimal},
            "creditorAccount": {"iban": self.creditor_iban},
            "creditorName": self.creditor_name,
            **remittance,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiatedPayment:
    """A payment the bank has taken down (`RCVD`), to be authorised by the PSU."""

    payment_id: PaymentId
    status: str
    sca_approach: str | None
    sca_oauth: str | None


def payment_request(xs2a: Xs2a, order: PaymentOrder, *, product: str = PRODUCT) -> HttpResponse:
    """Initiate a payment; its X-Request-ID makes sure that it is initiated once."""
    return xs2a.post(f"/v1/payments/{product}", order.as_json())


def process_payment_response(response: HttpResponse) -> InitiatedPayment:
    """Judge the answer to an initiation."""
    require_status(response, HTTPStatus.CREATED)
    document = document_of(response)
    return InitiatedPayment(
        payment_id=PaymentId(document.text("paymentId")),
        status=document.text("transactionStatus"),
        sca_approach=response.headers.get("aspsp-sca-approach"),
        sca_oauth=document.optional_link("scaOAuth"),
    )


def payment_details_request(xs2a: Xs2a, payment_id: PaymentId, *, product: str = PRODUCT) -> HttpResponse:
    """Ask for the payment as the bank has it."""
    return xs2a.get(f"/v1/payments/{product}/{payment_id}")


def process_payment_details_response(response: HttpResponse) -> Money:
    """Return the amount that the bank has taken down."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).money("instructedAmount")


def payment_status_request(xs2a: Xs2a, payment_id: PaymentId, *, product: str = PRODUCT) -> HttpResponse:
    """Ask how far the payment is."""
    return xs2a.get(f"/v1/payments/{product}/{payment_id}/status")


def process_payment_status_response(response: HttpResponse) -> str:
    """Return the status by its ISO 20022 code, such as `RCVD` or `ACSC` (BG IG §14.13)."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("transactionStatus")
