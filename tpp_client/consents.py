"""Consents to account information: ask, look, end (BG IG 1.3.8 §6.3, XS2A 1.3.11 `/v1/consents`)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from psd2.ids import ConsentId
from tpp_client.authorisations import ScaStep, sca_step
from tpp_client.documents import Document, document_of
from tpp_client.refusals import require_status
from tpp_client.xs2a import NO_HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a

PARTIALLY_AUTHORISED = "partiallyAuthorised"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDraft:
    """What the TPP asks for. Without `ibans` the PSU chooses the accounts at the bank (bank-offered, BG IG §6.3.1.2)."""

    valid_until: date
    ibans: tuple[str, ...] = ()
    recurring: bool = True
    frequency_per_day: int = 4

    def as_json(self) -> dict[str, object]:
        """Return the request body."""
        accounts = [{"iban": iban} for iban in self.ibans]
        return {
            "access": {"accounts": accounts, "balances": accounts, "transactions": accounts},
            "recurringIndicator": self.recurring,
            "validUntil": self.valid_until.isoformat(),
            "frequencyPerDay": self.frequency_per_day,
            "combinedServiceIndicator": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedConsent:
    """A consent the bank has taken down, to be authorised by the PSU as `sca` says."""

    consent_id: ConsentId
    status: str
    sca: ScaStep


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDetails:
    """A consent as it stands: which accounts the PSU has opened, and what may be read of them.

    An account is named by its IBAN; one of cards has none, and is named by its masked number (BG IG §14.3).
    """

    status: str
    valid_until: str
    frequency_per_day: int
    accounts: tuple[str, ...]
    recurring: bool = False
    balances: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()

    @property
    def awaits_signature(self) -> bool:
        """Whether the PSU has signed, and another holder has not yet."""
        return self.status == PARTIALLY_AUTHORISED


def consent_path(consent_id: ConsentId) -> str:
    """Return the consent's path."""
    return f"/v1/consents/{consent_id}"


def consent_request(xs2a: Xs2a, draft: ConsentDraft, *, headers: Mapping[str, str] = NO_HEADERS) -> HttpResponse:
    """Ask for a consent."""
    return xs2a.post("/v1/consents", draft.as_json(), headers=headers)


def process_consent_response(response: HttpResponse) -> CreatedConsent:
    """Judge the answer to a new consent, of account information or of funds confirmation."""
    require_status(response, HTTPStatus.CREATED)
    document = document_of(response)
    return CreatedConsent(
        consent_id=ConsentId(document.text("consentId")),
        status=document.text("consentStatus"),
        sca=sca_step(response),
    )


def consent_details_request(xs2a: Xs2a, consent_id: ConsentId) -> HttpResponse:
    """Ask for the consent as it stands."""
    return xs2a.get(consent_path(consent_id))


def process_consent_details_response(response: HttpResponse) -> ConsentDetails:
    """Judge the consent's content."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    access = document.child("access")
    return ConsentDetails(
        status=document.text("consentStatus"),
        valid_until=document.text("validUntil"),
        frequency_per_day=document.whole_number("frequencyPerDay"),
        accounts=_numbers(access, "accounts"),
        recurring=document.optional_flag("recurringIndicator"),
        balances=_numbers(access, "balances"),
        transactions=_numbers(access, "transactions"),
    )


def _numbers(access: Document, name: str) -> tuple[str, ...]:
    return tuple(_number(account) for account in access.optional_children(name))


def _number(account: Document) -> str:
    return account.text("maskedPan") if "maskedPan" in account else account.text("iban")


def consent_status_request(xs2a: Xs2a, consent_id: ConsentId) -> HttpResponse:
    """Ask for the consent's status only."""
    return xs2a.get(f"{consent_path(consent_id)}/status")


def process_consent_status_response(response: HttpResponse) -> str:
    """Return the status, such as `received` or `valid` (BG IG §14.6)."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("consentStatus")


def consent_deletion_request(xs2a: Xs2a, consent_id: ConsentId) -> HttpResponse:
    """End the consent: the bank calls it terminatedByTpp from now on."""
    return xs2a.delete(consent_path(consent_id))


def process_consent_deletion_response(response: HttpResponse) -> None:
    """Judge the deletion."""
    require_status(response, HTTPStatus.NO_CONTENT)
