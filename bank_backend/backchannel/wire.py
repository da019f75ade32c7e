"""Asking PSUs, on the back channel as JSON (docs/architecture.md §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from bank_backend.authorisations.model import ResourceKind
from bank_backend.backchannel.service import AskRequest
from bank_backend.bodies import Body, read_internal_body
from psd2.ids import TenantId

if TYPE_CHECKING:
    from bank_backend.backchannel.service import Asked

_MOST_SECONDS = 3600
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class AskBody(Body):
    """The body of `POST /internal/backchannel`."""

    tenant: _Text
    kind: Literal["ais", "pis", "piis"]
    resource: _Text
    psu: _Text
    seconds: Annotated[int, Field(ge=1, le=_MOST_SECONDS)]
    binding_message: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


def parse_ask(data: bytes) -> AskRequest:
    """Read the body; raises `FieldsInvalid`, naming each field."""
    body = read_internal_body(data, AskBody)
    return AskRequest(
        tenant=TenantId(body.tenant),
        kind=ResourceKind(body.kind),
        resource=body.resource,
        psu=body.psu,
        seconds=body.seconds,
        binding_message=body.binding_message,
    )


def asked_as_json(asked: Asked) -> dict[str, object]:
    """Write what became of it."""
    authorisation = asked.authorisation
    return {
        "authorisation": authorisation.id,
        "status": asked.status.value,
        "psu": authorisation.psu,
        "kind": authorisation.kind.value,
        "resource": authorisation.resource,
        "tenant": authorisation.tenant,
    }
