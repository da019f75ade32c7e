"""`ResourceBank` over HTTP: internal mutual TLS, every answer checked before it is believed."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from chassis.peers import PeerUnavailable
from gateway.oauth.bank import BankUnavailable, ResourceUnknown
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


class _ProblemBody(_FaultBody):
    code: str
    errors: list[_FaultBody] = []
    fields: dict[str, str] = {}


class HttpResources:
    """Consents and payments of the bank, made in TPPs' names."""

    def __init__(self, session: PeerSession) -> None:
        self._session = session

    def make(self, new: NewResource) -> str:
        """Make a consent or payment and return its id; raises `ResourceRefused`, `BankUnavailable`."""
        return believed(self._made(new), HTTPStatus.CREATED, _MadeBody).resource

    def _made(self, new: NewResource, **beside: object) -> PeerAnswer:
        body = {"tenant": new.tenant, "kind": new.service.kind, "product": new.product, "request": new.request, **beside}
        answer = self._call("POST", _PATH, json={name: value for name, value in body.items() if value is not None})
        # What the bank has against this caller is no fault of the request's.
        if answer.status_code != HTTPStatus.FORBIDDEN and HTTPStatus.BAD_REQUEST <= answer.status_code < _SERVER_ERRORS:
            raise _refused(answer)
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


def _refused(answer: PeerAnswer) -> ResourceRefused:
    try:
        problem = _ProblemBody.model_validate_json(answer.content)
    except ValidationError as error:
        raise BankUnavailable(f"the bank answered {answer.status_code} without a problem document") from error
    if any(field.startswith("visit") for field in problem.fields):
        raise BankUnavailable(f"the bank finds fault with what it was told of the visit: {problem.detail[:300]}")
    faults = problem.errors or [problem]
    return ResourceRefused(code=problem.code, faults=[(fault.path or "", fault.detail) for fault in faults])
