"""Signing baskets: several payments and consents under one signature (BG IG 1.3.8 §8, XS2A 1.3.11 `/v1/signing-baskets`)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from tpp_client.authorisations import ScaStep, sca_step
from tpp_client.documents import document_of
from tpp_client.refusals import require_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedBasket:
    """A basket that the bank has taken down, to be authorised by the PSU as `sca` says."""

    basket_id: str
    status: str
    sca: ScaStep


def basket_request(
    xs2a: Xs2a, *, payments: Sequence[str] = (), consents: Sequence[str] = (), headers: Mapping[str, str] = _NO_HEADERS
) -> HttpResponse:
    """Group what waits for the PSU, by ids."""
    named = {"paymentIds": list(payments), "consentIds": list(consents)}
    return xs2a.post("/v1/signing-baskets", {name: ids for name, ids in named.items() if ids}, headers=headers)


def process_basket_response(response: HttpResponse) -> CreatedBasket:
    """Judge the answer."""
    require_status(response, HTTPStatus.CREATED)
    document = document_of(response)
    return CreatedBasket(basket_id=document.text("basketId"), status=document.text("transactionStatus"), sca=sca_step(response))


def basket_status_request(xs2a: Xs2a, basket_id: str) -> HttpResponse:
    """Ask how far the basket is."""
    return xs2a.get(f"/v1/signing-baskets/{basket_id}/status")


def process_basket_status_response(response: HttpResponse) -> str:
    """Return the status, such as `RCVD` or `ACTC` (BG IG §14.13)."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("transactionStatus")
