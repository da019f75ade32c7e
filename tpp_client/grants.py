"""Asking for what is wanted (RFC 9396), and managing what was granted (OpenID Grant Management)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from psd2.ids import ConsentId
from tpp_client.documents import Document, document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import require_status
from tpp_client.tokens import BEARER, Tokens, process_token_response
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from tpp_client.discovery import ServerMetadata
    from tpp_client.wire import HttpResponse, Transport

QUERY_SCOPE, REVOKE_SCOPE = "grant_management_query", "grant_management_revoke"
DETAILS: Final = "authorization_details"


class GrantAction(StrEnum):
    """What becomes of a grant by an authorization request (Grant Management §5.2)."""

    CREATE = "create"
    REPLACE = "replace"
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a PSU has granted: tokens, the consent that they are for, its accounts; `grant_id` where it was asked for."""

    tokens: Tokens
    consent_id: ConsentId
    ibans: tuple[str, ...]
    grant_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantState:
    """A grant as it stands: its scope, the status of its consent or payment, the accounts that it names; when it ends."""

    scope: str
    status: str
    ibans: tuple[str, ...]
    expires_at: datetime


def account_information(ibans: tuple[str, ...], *, valid_until: date, frequency_per_day: int = 4) -> dict[str, object]:
    """Return the details of access to accounts, balances and transactions; where none is named, the PSU picks."""
    references = [{"iban": iban} for iban in ibans]
    return {
        "type": "account_information",
        "access": {"accounts": references, "balances": references, "transactions": references},
        "recurringIndicator": True,
        "validUntil": valid_until.isoformat(),
        "frequencyPerDay": frequency_per_day,
    }


def as_parameters(detail: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters that ask for one detail."""
    return {DETAILS: json.dumps([detail])}


def managed(action: GrantAction, grant_id: str | None = None) -> dict[str, str]:
    """Return the parameters that ask for a grant with a name, or to change the one that is named (Grant Management §5.2)."""
    return {"grant_management_action": action.value} | ({"grant_id": grant_id} if grant_id else {})


def process_granted_response(response: HttpResponse, *, token_type: str = BEARER) -> Granted:
    """Judge a token response that says what was granted (RFC 9396 §7)."""
    tokens = process_token_response(response, token_type=token_type)
    document = document_of(response)
    (detail,) = document.children(DETAILS)
    return Granted(
        tokens=tokens,
        consent_id=ConsentId(detail.text("consentId")),
        ibans=tuple(_ibans(detail)),
        grant_id=document.optional_text("grant_id"),
    )


def grant_request(transport: Transport, metadata: ServerMetadata, grant_id: str, *, token: str) -> HttpResponse:
    """Ask what stands of a grant."""
    return transport.send(_request("GET", metadata, grant_id, token))


def process_grant_response(response: HttpResponse) -> GrantState:
    """Return how a grant stands (Grant Management §6.4)."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    (detail,), (scope,) = document.children(DETAILS), document.children("scopes")
    return GrantState(
        scope=scope.text("scope"),
        status=detail.optional_text("consentStatus") or detail.text("transactionStatus"),
        ibans=tuple(_ibans(detail)),
        expires_at=datetime.fromtimestamp(document.whole_number("expires_at"), UTC),
    )


def grant_revocation_request(transport: Transport, metadata: ServerMetadata, grant_id: str, *, token: str) -> HttpResponse:
    """Revoke a grant, with its tokens and its consent."""
    return transport.send(_request("DELETE", metadata, grant_id, token))


def process_grant_revocation_response(response: HttpResponse) -> None:
    """Judge the answer: 204 and nothing in it."""
    require_status(response, HTTPStatus.NO_CONTENT)


def _request(method: str, metadata: ServerMetadata, grant_id: str, token: str) -> HttpRequest:
    if not metadata.grant_management_endpoint:
        msg = f"{metadata.issuer} has no grant_management_endpoint: it lets nobody ask about grants (Grant Management §7.1)"
        raise UnexpectedResponse(msg)
    url = f"{metadata.grant_management_endpoint}/{quote(grant_id, safe='')}"
    return HttpRequest(method=method, url=url, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})


def _ibans(detail: Document) -> Iterator[str]:
    for reference in detail.optional_child("access").optional_children("accounts"):
        yield reference.text("iban")
