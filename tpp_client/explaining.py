"""The gateway's dry run of a request (`POST /explain`): every check with its verdict, for whoever was refused or may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from tpp_client.documents import document_of
from tpp_client.refusals import require_status
from tpp_client.wire import HttpResponse, json_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tpp_client.documents import Document
    from tpp_client.wire import HttpRequest, Transport

_AUTHORIZATION: Final = "Authorization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The request in question; `certificate` is PEM to judge instead of the TPP's own.

    `authorization` is the field that bears the access token. It stays out of the repr, as do the other fields.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    certificate: str | None = None
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: what it is, its verdict, and where it failed why and what helps."""

    label: str
    verdict: str
    clause: str
    seen: tuple[str, ...]
    text: str | None
    hint: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The gateway's answer. `departures` are those of the certificate's statements from TS 119 495."""

    is_admitted: bool
    reason: str | None
    checks: tuple[Check, ...]
    departures: tuple[str, ...]


@dataclass(slots=True)
class _Undelivered:
    """Stands where a request would leave: keeps it, and answers that nobody is there."""

    request: HttpRequest | None = None

    def send(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        self.request = request
        return HttpResponse(request=request, status=HTTPStatus.SERVICE_UNAVAILABLE)


def dressed(request: HttpRequest, dress: Callable[[Transport], Transport]) -> HttpRequest:
    """Return a request with all that a transport would add on its way out, such as proof and signature; nothing is sent."""
    undelivered = _Undelivered()
    dress(undelivered).send(request)
    return undelivered.request or request


def question_about(request: HttpRequest, *, certificate: str | None = None) -> Question:
    """Return the question about a request as it would be sent."""
    parts = urlsplit(request.url)
    headers = {name: value for name, value in request.headers.items() if name != _AUTHORIZATION}
    return Question(
        method=request.method,
        path=urlunsplit(("", "", parts.path, parts.query, "")),
        headers=headers,
        body=(request.body or b"").decode(),
        certificate=certificate,
        authorization=request.headers.get(_AUTHORIZATION),
    )


def explain_request(transport: Transport, edge: str, question: Question) -> HttpResponse:
    """Ask; the token goes along as it would with the request itself."""
    content: dict[str, object] = {"method": question.method, "path": question.path, "headers": dict(question.headers)}
    if question.body:
        content["body"] = question.body
    if question.certificate is not None:
        content["certificate"] = question.certificate
    headers = {_AUTHORIZATION: question.authorization} if question.authorization else {}
    return transport.send(json_request("POST", f"{edge}/explain", content, headers))


def process_explain_response(response: HttpResponse) -> Explanation:
    """Return what the gateway says; raises `Refused`, `UnexpectedResponse`."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    is_admitted = document.text("verdict") == "admitted"
    certificate = document.child("certificate") if document.fields.get("certificate") is not None else None
    return Explanation(
        is_admitted=is_admitted,
        reason=None if is_admitted else document.child("answer").text("reason"),
        checks=tuple(_check(each) for each in document.children("checks")),
        departures=tuple(_departure(each) for each in certificate.children("departures")) if certificate else (),
    )


def told(explanation: Explanation) -> Iterator[str]:
    """Yield the explanation as lines for people."""
    for check in explanation.checks:
        seen = f" ({', '.join(check.seen)})" if check.seen else ""
        yield f"{check.verdict.replace('_', ' '):>11}  {check.label}{seen} [{check.clause}]"
        for more in (check.text, check.hint, check.note):
            if more:
                yield f"{'':13}{more}"
    for departure in explanation.departures:
        yield f"{'departure':>11}  of the certificate: {departure}"
    yield "The gateway would let it through." if explanation.is_admitted else f"The gateway would refuse: {explanation.reason}"


def _check(document: Document) -> Check:
    return Check(
        label=document.text("label"),
        verdict=document.text("verdict"),
        clause=document.text("clause"),
        seen=tuple(f"{fact.text('what')}: {fact.text('value')}" for fact in document.children("seen")),
        text=document.optional_text("text"),
        hint=document.optional_text("hint"),
        note=document.optional_text("note"),
    )


def _departure(document: Document) -> str:
    return f"{document.text('variant')}: {document.text('text')} [{document.text('clause')}]"
