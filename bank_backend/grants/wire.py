"""Grants on the back channel as JSON (docs/architecture.md §3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import StringConstraints

from bank_backend.authorisations.model import ResourceKind
from bank_backend.bodies import Body, read_internal_body
from bank_backend.consents.model import ConsentStatus
from bank_backend.errors import FieldsInvalid
from bank_backend.interactions.wire import (
    DecisionBody,
    HeadlessDecision,
    InteractionRequest,
    NameText,
    UrlText,
    headless_decision,
)
from bank_backend.payments.model import TransactionStatus
from psd2.ids import TenantId

KINDS: Final = frozenset({ResourceKind.AIS, ResourceKind.PIS, ResourceKind.PIIS})
_UNTOUCHED: Final = frozenset({ConsentStatus.RECEIVED.value, TransactionStatus.RCVD.value})
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class VisitBody(Body):
    """For which client the PSU comes to decide on what is made, and where its browser goes afterwards."""

    client_id: _Text
    client_name: NameText
    return_url: UrlText


class GrantBody(Body):
    """The body of `POST /internal/grants`; `request` is the Berlin Group's, absent where the PSU is to choose its accounts.

    `visit`: one that begins at once; `decision`: what the PSU decides in it, at once too.
    """

    tenant: _Text
    kind: Literal["ais", "pis", "piis"]
    product: _Text | None = None
    request: dict[str, Any] | None = None
    visit: VisitBody | None = None
    decision: DecisionBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRequest:
    """What is to be made, for which TPP: `document` in JSON as the TPP itself would post it; None: as the bank offers it.

    `visit`: for which client the PSU comes to decide on it; `decision`: what it decides, None where it does so itself.
    """

    tenant: TenantId
    kind: ResourceKind
    product: str
    document: bytes | None
    visit: VisitBody | None = None
    decision: HeadlessDecision | None = None

    def visit_to(self, resource: str) -> InteractionRequest | None:
        """Return the visit to what was made, if one is to begin."""
        if self.visit is None:
            return None
        return InteractionRequest(tenant=self.tenant, kind=self.kind, resource=resource, **self.visit.model_dump())


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """What was made, as it stands: `told` in the Berlin Group's words, without links."""

    status: str
    told: dict[str, Any]

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has come of it yet: a PSU's yes may still wait for its TPP's confirmation (BG IG §7.6)."""
        return self.status in _UNTOUCHED


def parse_grant(data: bytes) -> GrantRequest:
    """Read the body; raises `FieldsInvalid`, naming each field."""
    body = read_internal_body(data, GrantBody)
    if body.decision is not None and body.visit is None:
        raise FieldsInvalid({"visit": "is missing: a decision is taken in one"})
    return GrantRequest(
        tenant=TenantId(body.tenant),
        kind=ResourceKind(body.kind),
        product=body.product or "",
        document=None if body.request is None else orjson.dumps(body.request),
        visit=body.visit,
        decision=None if body.decision is None else headless_decision(body.decision),
    )


def grant_as_json(view: GrantView) -> dict[str, object]:
    """Write what stands."""
    return {"status": view.status, "told": view.told}
