"""`ResourceBank` over HTTP: internal mutual TLS, every answer checked before it is believed."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from chassis.peers import PeerUnavailable
from gateway.oauth.bank import BankUnavailable, DecisionRefused, ResourceUnknown
from gateway.oauth.rar.bank import ResourceRefused, StandingResource

if TYPE_CHECKING:
    from chassis.peers import PeerAnswer, PeerSession
    from gateway.oauth.rar.bank import NewResource
    from gateway.oauth.scope import BerlinScope

_PATH: Final = "/internal/grants"
ResourceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
_Body = TypeVar("_Body", bound=BaseModel)


class _MadeBody(BaseModel):
    model_config = ConfigDict(strict=True)
    resource: ResourceId


class _StandingBody(BaseModel):
    model_config = ConfigDict(strict=True)
    status: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    told: dict[str, Any]


class _FaultBody(BaseModel):
    model_config = ConfigDict(strict=True)
    path: str | None = None
    detail: str


class ProblemBody(_FaultBody):
    """What the bank has against a request; `refused` says against which part of it, where it says so."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    errors: list[_FaultBody] = []
    fields: dict[str, str] = {}
    refused: str | None = None


class HttpResources:
    """Consents and payments of the bank, made in TPPs' names."""

    def __init__(self, session: PeerSession) -> None:
        self._session = session

    def make(self, new: NewResource) -> str:
        """Make a consent or payment and return its id; raises `ResourceRefused`, `BankUnavailable`."""
        return believed(self._made(new), HTTPStatus.CREATED, _MadeBody).resource

    def _made(self, new: NewResource, **beside: object) -> PeerAnswer:
        """Return the answer to a making; raises `ResourceRefused`, `DecisionRefused`, `BankUnavailable`."""
        body = {"tenant": new.tenant, "kind": new.service.kind, "product": new.product, "request": new.request, **beside}
        answer = self._call("POST", _PATH, json={name: value for name, value in body.items() if value is not None})
        # What the bank has against this caller is no fault of the request's.
        if answer.status_code != HTTPStatus.FORBIDDEN and HTTPStatus.BAD_REQUEST <= answer.status_code < _SERVER_ERRORS:
            problem = problem_of(answer)
            raise refused_decision(problem) if problem.refused == _DECISION else _refused(problem)
        return answer

    def standing(self, scope: BerlinScope, *, tenant: str) -> StandingResource:
        """Return what stands; raises `ResourceUnknown`, `BankUnavailable`."""
        answer = self._call("GET", _path(scope, tenant))
        if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:  # BG's CONSENT_UNKNOWN is a 403
            raise ResourceUnknown
        body = believed(answer, HTTPStatus.OK, _StandingBody)
        return StandingResource(status=body.status, told=body.told)

    def end(self, scope: BerlinScope, *, tenant: str) -> None:
        """End it, or leave it ended; raises `BankUnavailable`."""
        answer = self._call("DELETE", _path(scope, tenant))
        if answer.status_code != HTTPStatus.OK:
            raise BankUnavailable(f"the bank answered {answer.status_code} to the end of {scope}")

    def _call(self, method: str, path: str, **options: Any) -> PeerAnswer:  # noqa: ANN401 - handed on
        try:
            return self._session.request(method, path, **options)
        except PeerUnavailable as error:
            raise BankUnavailable(str(error)) from error


_SERVER_ERRORS: Final = 500
_DECISION: Final = "decision"


def _path(scope: BerlinScope, tenant: str) -> str:
    return f"{_PATH}/{scope.service.kind}/{quote(scope.resource, safe='')}?{urlencode({'tenant': tenant})}"


def believed(answer: PeerAnswer, status: HTTPStatus, type_: type[_Body]) -> _Body:
    """Return the answer's body, checked; raises `BankUnavailable` for one of another status or shape."""
    if answer.status_code != status:
        raise BankUnavailable(f"the bank answered {answer.status_code}, expected {status.value}: {answer.text[:300]}")
    try:
        return type_.model_validate_json(answer.content)
    except ValidationError as error:
        raise BankUnavailable(f"the bank's answer makes no sense: {error.error_count()} faults") from error


def problem_of(answer: PeerAnswer) -> ProblemBody:
    """Return what the bank has against a request; raises `BankUnavailable` where it does not say."""
    try:
        return ProblemBody.model_validate_json(answer.content)
    except ValidationError as error:
        raise BankUnavailable(f"the bank answered {answer.status_code} without a problem document") from error


def refused_decision(problem: ProblemBody) -> DecisionRefused:
    """Return the refusal of what a PSU has decided who is stood in for."""
    errors = [{"field": field, "problem": reason} for field, reason in problem.fields.items()]
    return DecisionRefused(code=problem.code, detail=problem.detail, errors=errors)


def _refused(problem: ProblemBody) -> ResourceRefused:
    if any(field.startswith("visit") for field in problem.fields):
        raise BankUnavailable(f"the bank finds fault with what it was told of the visit: {problem.detail[:300]}")
    faults = problem.errors or [problem]
    return ResourceRefused(code=problem.code, faults=[(fault.path or "", fault.detail) for fault in faults])
