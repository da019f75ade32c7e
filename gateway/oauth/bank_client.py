"""The bank over HTTP: internal mutual TLS, every answer checked before it is believed."""

from __future__ import annotations

from dataclasses import asdict, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, StringConstraints

from gateway.oauth.bank import (
    BankUnavailable,
    BegunInteraction,
    DecidedAddress,
    Interaction,
    InteractionStatus,
    ResourceNotAwaiting,
    ResourceUnknown,
)
from gateway.oauth.ciba.bank_client import HttpBackchannel
from gateway.oauth.rar.bank_client import ResourceId, believed, problem_of, refused_decision

if TYPE_CHECKING:
    from chassis.peers import PeerAnswer, PeerSession
    from gateway.oauth.bank import AddressedDecision, Decision, NewInteraction, NewVisit
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


class _MadeAndDecidedBody(_InteractionBody):
    url: _Text
    resource: ResourceId


class _DecidedBody(BaseModel):
    model_config = ConfigDict(strict=True)
    redirect: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None
    scaStatus: _Text  # noqa: N815 - wire name


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

    def make_and_begin(self, new: NewResource, visit: NewVisit, decision: Decision | None = None) -> BegunInteraction:
        """Make a consent or payment and begin an interaction for it; raises `ResourceRefused`, `BankUnavailable`.

        With a `decision` it is decided on, too; raises `DecisionRefused`, and then nothing was made.
        """
        if decision is None:
            made = believed(self._made(new, visit=asdict(visit)), HTTPStatus.CREATED, _MadeAndBegunBody)
            return self._begun(made, made.resource)
        answer = self._made(new, visit=asdict(visit), decision=_decision_body(decision))
        decided = believed(answer, HTTPStatus.CREATED, _MadeAndDecidedBody)
        return replace(self._begun(decided, decided.resource), decided=_told(decided))

    def _begun(self, begun: _BegunBody | _MadeAndDecidedBody, resource: str) -> BegunInteraction:
        # The browser is sent there: an address off our own front would make this an open redirector.
        if not begun.url.startswith(f"{self._front_url}/"):
            raise BankUnavailable(f"the bank's page {begun.url[:200]!r} is not on {self._front_url}")
        return BegunInteraction(id=begun.interaction, url=begun.url, resource=resource)

    def interaction(self, interaction: str) -> Interaction:
        """Return an interaction; raises `BankUnavailable`."""
        return _interaction(self._call("GET", _path(interaction)))

    def decide(self, interaction: str, decision: Decision) -> Interaction:
        """Decide in the PSU's place and return what became of it; raises `DecisionRefused`, `BankUnavailable`."""
        return _interaction(self._decided(f"{_path(interaction)}/decision", _decision_body(decision)))

    def decide_at(self, address: AddressedDecision) -> DecidedAddress:
        """Decide on what an address of the bank's names; raises `DecisionRefused`, `BankUnavailable`."""
        body = _decision_body(address.decision) | {"tenant": address.tenant, "address": address.address}
        answer = self._decided(f"{_PATH}/decisions", body)
        decided = believed(answer, HTTPStatus.OK, _DecidedBody)
        return DecidedAddress(redirect=decided.redirect, sca_status=decided.scaStatus)

    def _decided(self, path: str, body: dict[str, object]) -> PeerAnswer:
        answer = self._call("POST", path, json=body)
        if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise refused_decision(problem_of(answer))
        if answer.status_code != HTTPStatus.OK:
            raise BankUnavailable(f"the bank answered {answer.status_code} to a decision")
        return answer


def _decision_body(decision: Decision) -> dict[str, object]:
    body: dict[str, object] = {"psu": decision.psu, "result": "APPROVED" if decision.approved else "REJECTED"}
    return body if decision.accounts is None else body | {"accounts": list(decision.accounts)}


def _interaction(answer: PeerAnswer) -> Interaction:
    return _told(believed(answer, HTTPStatus.OK, _InteractionBody))


def _told(body: _InteractionBody) -> Interaction:
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
