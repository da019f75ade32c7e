"""`BackchannelBank` over HTTP: internal mutual TLS, every answer checked before it is believed."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from gateway.oauth.bank import BankUnavailable, ResourceNotAwaiting, ResourceUnknown
from gateway.oauth.ciba.bank import AskedPsu, AskStatus, DecoupledNotOffered, PsuNotKnown
from gateway.oauth.rar.bank_client import HttpResources, believed

if TYPE_CHECKING:
    from chassis.peers import PeerAnswer
    from gateway.oauth.ciba.bank import NewAsk

_PATH: Final = "/internal/backchannel"
_UNKNOWN: Final[dict[str, type[Exception]]] = {"psu.unknown": PsuNotKnown, "service.not_offered": DecoupledNotOffered}
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _AskedBody(BaseModel):
    model_config = ConfigDict(strict=True)
    authorisation: _Text
    status: AskStatus
    psu: _Text
    kind: _Text
    resource: _Text


class _ProblemBody(BaseModel):
    model_config = ConfigDict(strict=True)
    code: str


class HttpBackchannel(HttpResources):
    """PSUs of the bank, asked in their apps."""

    def ask(self, new: NewAsk) -> AskedPsu:
        """Ask a PSU.

        Raises `PsuNotKnown`, `DecoupledNotOffered`, `ResourceUnknown`, `ResourceNotAwaiting`, `BankUnavailable`.
        """
        body = {
            "tenant": new.tenant,
            "kind": new.scope.service.kind,
            "resource": new.scope.resource,
            "psu": new.psu,
            "seconds": new.seconds,
            "binding_message": new.binding_message,
        }
        answer = self._call("POST", _PATH, json={name: value for name, value in body.items() if value is not None})
        if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:
            raise _UNKNOWN.get(_code(answer), ResourceUnknown)
        if answer.status_code == HTTPStatus.CONFLICT:
            raise ResourceNotAwaiting
        return _asked(believed(answer, HTTPStatus.CREATED, _AskedBody))

    def asked(self, authorisation: str, *, tenant: str) -> AskedPsu:
        """Return what became of it; raises `BankUnavailable`."""
        path = f"{_PATH}/{quote(authorisation, safe='')}?{urlencode({'tenant': tenant})}"
        return _asked(believed(self._call("GET", path), HTTPStatus.OK, _AskedBody))


def _asked(body: _AskedBody) -> AskedPsu:
    return AskedPsu(authorisation=body.authorisation, status=body.status, psu=body.psu, kind=body.kind, resource=body.resource)


def _code(answer: PeerAnswer) -> str:
    try:
        return _ProblemBody.model_validate_json(answer.content).code
    except ValidationError as error:
        raise BankUnavailable(f"the bank answered {answer.status_code} without a problem document") from error
