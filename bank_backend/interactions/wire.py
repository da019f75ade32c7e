"""Interactions as JSON on the back channel (docs/architecture.md §3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from bank_backend.authorisations.model import ResourceKind
from bank_backend.bodies import Body, read_internal_body
from psd2.ids import TenantId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.interactions.model import Interaction

_MOST_ACCOUNTS = 100
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
NameText = Annotated[str, StringConstraints(min_length=1, max_length=140)]
UrlText = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^https?://[\x21-\x7e]+$")]


class InteractionBody(Body):
    """The body of `POST /internal/interactions`."""

    tenant: Text
    kind: Literal["ais", "pis", "piis"]
    resource: Text
    client_id: Text
    client_name: NameText
    return_url: UrlText


class DecisionBody(Body):
    """The body of `POST /internal/interactions/{id}/decision`."""

    psu: Text
    result: Literal["APPROVED", "REJECTED"]
    accounts: Annotated[list[Text], Field(max_length=_MOST_ACCOUNTS)] | None = None


class AddressedDecisionBody(DecisionBody):
    """The body of `POST /internal/interactions/decisions`."""

    tenant: Text
    address: UrlText


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRequest:
    """Which client wants a PSU to decide on which resource, and where the browser goes afterwards."""

    tenant: TenantId
    kind: ResourceKind
    resource: str
    client_id: str
    client_name: str
    return_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlessDecision:
    """A PSU's decision given without a browser. `accounts`: ids or IBANs; None means everything that is asked."""

    psu: str
    approves: bool
    accounts: tuple[str, ...] | None


def parse_interaction(data: bytes) -> InteractionRequest:
    """Read the body of `POST /internal/interactions`; raises `FieldsInvalid`, naming each field."""
    body = read_internal_body(data, InteractionBody)
    return InteractionRequest(
        tenant=TenantId(body.tenant),
        kind=ResourceKind(body.kind),
        resource=body.resource,
        client_id=body.client_id,
        client_name=body.client_name,
        return_url=body.return_url,
    )


def parse_addressed_decision(data: bytes) -> tuple[TenantId, str, HeadlessDecision]:
    """Read whose authorisation is decided on, the address that names it, and the decision; raises `FieldsInvalid`."""
    body = read_internal_body(data, AddressedDecisionBody)
    return TenantId(body.tenant), body.address, headless_decision(body)


def parse_decision(data: bytes) -> HeadlessDecision:
    """Read the body of a decision; raises `FieldsInvalid`, naming each field."""
    return headless_decision(read_internal_body(data, DecisionBody))


def headless_decision(body: DecisionBody) -> HeadlessDecision:
    """Return the decision that it writes."""
    accounts = None if body.accounts is None else tuple(body.accounts)
    return HeadlessDecision(psu=body.psu, approves=body.result == "APPROVED", accounts=accounts)


def interaction_as_json(interaction: Interaction, told: Mapping[str, Any] | None) -> dict[str, object]:
    """Write the state of a visit, and what was granted, `told` in the Berlin Group's words."""
    return {
        "interaction": interaction.id,
        "status": interaction.status.value,
        "psu": interaction.psu,
        "resource": interaction.resource,
        "kind": interaction.service.value,
        "tenant": interaction.tenant,
        "told": told,
    }
