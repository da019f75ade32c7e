"""The bank over HTTP: internal mutual TLS, every answer checked before it is believed."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from gateway.oauth.bank import (
    BankUnavailable,
    BegunInteraction,
    DecidedAddress,
    DecisionRefused,
    Interaction,
    InteractionStatus,
    ResourceNotAwaiting,
    ResourceUnknown,
)
from gateway.oauth.ciba.bank_client import HttpBackchannel
from gateway.oauth.rar.bank_client import ResourceId, believed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chassis.peers import PeerAnswer, PeerSession
    from gateway.oauth.bank import AddressedDecision, NewInteraction, NewVisit
    from gateway.oauth.rar.bank import NewResource

_PATH: Final = "/internal/interactions"
_Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _BegunBody(BaseModel):
    model_config = ConfigDict(strict=True)
    interaction: _Text
    url: _Text


class _MadeAndBegunBody(_BegunBody):
    resource: ResourceId


class _InteractionBody(BaseModel):
    model_config = ConfigDict(strict=True)
    interaction: _Text
    status: InteractionStatus
    psu: _Text | None
    kind: _Text
    resource: _Text
    tenant: _Text
    told: dict[str, Any] | None = None


class _DecidedBody(BaseModel):
    model_config = ConfigDict(strict=True)
    redirect: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None
    scaStatus: _Text  # noqa: N815 - wire name


class _ProblemBody(BaseModel):
    model_config = ConfigDict(strict=True)
    code: _Text
    detail: str
    fields: dict[str, str] = {}


class HttpBank(HttpBackchannel):
    """The bank behind its internal listener."""

    def __init__(self, session: PeerSession, *, front_url: str) -> None:
        super().__init__(session)
        self._front_url = front_url

    def begin(self, new: NewInteraction) -> BegunInteraction:
        """Begin an interaction; raises `ResourceUnknown`, `ResourceNotAwaiting`, `BankUnavailable`."""
        answer = self._call("POST", _PATH, json=_new_body(new))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise ResourceUnknown
        if answer.status_code == HTTPStatus.CONFLICT:
            raise ResourceNotAwaiting
        return self._begun(believed(answer, HTTPStatus.CREATED, _BegunBody), new.resource)

    def make_and_begin(self, new: NewResource, visit: NewVisit) -> BegunInteraction:
        """Make a consent or payment and begin an interaction for it; raises `ResourceRefused`, `BankUnavailable`."""
        body = believed(self._made(new, visit=asdict(visit)), HTTPStatus.CREATED, _MadeAndBegunBody)
        return self._begun(body, body.resource)

    def _begun(self, begun: _BegunBody, resource: str) -> BegunInteraction:
        # The browser is sent there: an address off our own front would make this an open redirector.
        if not begun.url.startswith(f"{self._front_url}/"):
            raise BankUnavailable(f"the bank's page {begun.url[:200]!r} is not on {self._front_url}")
        return BegunInteraction(id=begun.interaction, url=begun.url, resource=resource)

    def interaction(self, interaction: str) -> Interaction:
        """Return an interaction; raises `BankUnavailable`."""
        return _interaction(self._call("GET", _path(interaction)))

    def decide(self, interaction: str, *, psu: str, approved: bool, accounts: Sequence[str] | None) -> Interaction:
        """Decide in the PSU's place and return what became of it; raises `DecisionRefused`, `BankUnavailable`."""
        body = _decision_body(psu, approved=approved, accounts=accounts)
        return _interaction(self._decided(f"{_path(interaction)}/decision", body))

    def decide_at(self, address: AddressedDecision) -> DecidedAddress:
        """Decide on what an address of the bank's names; raises `DecisionRefused`, `BankUnavailable`."""
        body = _decision_body(address.psu, approved=address.approved, accounts=address.accounts)
        answer = self._decided(f"{_PATH}/decisions", body | {"tenant": address.tenant, "address": address.address})
        decided = believed(answer, HTTPStatus.OK, _DecidedBody)
        return DecidedAddress(redirect=decided.redirect, sca_status=decided.scaStatus)

    def _decided(self, path: str, body: dict[str, object]) -> PeerAnswer:
        answer = self._call("POST", path, json=body)
        if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise _decision_refused(answer)
        if answer.status_code != HTTPStatus.OK:
            raise BankUnavailable(f"the bank answered {answer.status_code} to a decision")
        return answer


def _decision_body(psu: str, *, approved: bool, accounts: Sequence[str] | None) -> dict[str, object]:
    body: dict[str, object] = {"psu": psu, "result": "APPROVED" if approved else "REJECTED"}
    return body if accounts is None else body | {"accounts": list(accounts)}


def _interaction(answer: PeerAnswer) -> Interaction:
    body = believed(answer, HTTPStatus.OK, _InteractionBody)
    return Interaction(
        id=body.interaction,
        status=body.status,
        psu=body.psu,
        kind=body.kind,
        resource=body.resource,
        tenant=body.tenant,
        told=body.told,
    )


def _path(interaction: str) -> str:
    return f"{_PATH}/{quote(interaction, safe='')}"


def _new_body(new: NewInteraction) -> dict[str, str]:
    return {
        "tenant": new.tenant,
        "kind": new.kind,
        "resource": new.resource,
        "client_id": new.client_id,
        "client_name": new.client_name,
        "return_url": new.return_url,
    }


def _decision_refused(answer: PeerAnswer) -> DecisionRefused:
    try:
        problem = _ProblemBody.model_validate_json(answer.content)
    except ValidationError as error:
        raise BankUnavailable(f"the bank answered {answer.status_code} without a problem document") from error
    errors = [{"field": field, "problem": reason} for field, reason in problem.fields.items()]
    return DecisionRefused(code=problem.code, detail=problem.detail, errors=errors)
