"""A dry run of a call, or of a request that a developer writes down: what the gateway would say to it now, check by check."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, make_response, render_template, request
from wtforms import SelectField, StringField, TextAreaField

from sandbox.answers import PeerRefused
from sandbox.calls.dry_run import DescribedRequest, Verdict
from sandbox.calls.service import UnknownCall
from sandbox.portal.forms import PortalForm
from sandbox.portal.pages.call_words import Word
from sandbox.portal.pages.choices import choices_of
from sandbox.portal.visitor import origin, owned_tpp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.wrappers import Response

    from sandbox.ca.model import CertificateRecord
    from sandbox.calls.dry_run import DryRun
    from sandbox.calls.model import Call
    from sandbox.services import Services
    from sandbox.tpps.model import Tpp

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_MOST_PATH, _MOST_HEADERS, _MOST_BODY = 4_000, 20_000, 30_000
_AUTHORIZATION: Final = "authorization"
_WITHOUT: Final = ""
_MOST_OFFERED: Final = 50
VERDICT_WORDS: Final = {
    Verdict.PASSED: Word("passed", "good", "✓"),
    Verdict.FAILED: Word("fails", "bad", "✗"),
    Verdict.NOT_REACHED: Word("not reached", "", "·"),
    Verdict.NOT_ASKED: Word("not asked for here", "", "○"),
    Verdict.WITHHELD: Word("not told", "", "-"),
}


class RequestForm(PortalForm):
    """A request, as it would be sent."""

    method = SelectField("Method", choices=choices_of({method: method for method in _METHODS}))
    path = StringField("Path", description="With its query, like /v1/accounts?withBalance=true.")
    certificate = SelectField("Certificate", description="With which of your QWACs it would come.", validate_choice=False)
    token = StringField(
        "Access token",
        description="Its hash alone leaves the portal. Left empty, the call's own token is meant.",
    )
    headers = TextAreaField("Headers", description="One a line, like Consent-ID: 1234. Authorization is read as the token.")
    body = TextAreaField("Body", description="Only for judging a signature over it.")


def blueprint(services: Services) -> Blueprint:
    """Return the page."""
    pages = Blueprint("dry_runs", __name__)
    views = _Views(services)
    pages.add_url_rule("/tpps/<number>/requests/explain", view_func=views.page, methods=["GET", "POST"])
    pages.context_processor(lambda: {"verdict_words": VERDICT_WORDS})
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services

    def page(self, number: str) -> Response:
        """Show the form; with a call, or filled in, what the gateway would answer."""
        tpp = owned_tpp(self._services, number)
        call = self._call(tpp)
        certificates = self._certificates(tpp)
        form = RequestForm.submitted() if request.method == "POST" else _of_call(call)
        form.certificate.choices = choices_of(_offered(certificates))
        described = _described(form, call, certificates) if request.method == "POST" or call is not None else None
        found = self._explained(tpp, form, described) if described is not None else None
        # A token that was typed in, or stood among the headers, is not written into a page.
        form.token.data, form.headers.data = "", "\n".join(_lines_without_token(form))
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
        return make_response(render_template("requests/explain.html", tpp=tpp, call=call, form=form, found=found), status)

    def _call(self, tpp: Tpp) -> Call | None:
        """Return the call in question, if it is this TPP's own."""
        try:
            call = self._services.calls.one(request.args.get("call", ""), owned=[tpp]).call
        except UnknownCall:
            return None
        return call if call.tpp == str(tpp.authorisation_number) else None

    def _certificates(self, tpp: Tpp) -> Mapping[str, CertificateRecord]:
        records = [record for record in self._services.register.certificates(tpp) if record.profile == "qwac"]
        newest = sorted(records, key=lambda record: record.issued_at, reverse=True)[:_MOST_OFFERED]
        return {record.sha256: record for record in newest}

    def _explained(self, tpp: Tpp, form: RequestForm, described: DescribedRequest) -> DryRun | None:
        if form.errors:
            return None
        try:
            return self._services.calls.dry_run(tpp, described)
        except PeerRefused as refused:
            if refused.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            form.refuse("path", f"The gateway can't read the request: {refused.detail}")
            return None


def _of_call(call: Call | None) -> RequestForm:
    """Return the form as a call fills it in: its record has neither query nor body, and of headers the request's id alone."""
    if call is None:
        return RequestForm(method="GET", path="/v1/accounts")
    request_id = call.record.get("tpp_request_id")
    sha256 = (call.record.get("certificate") or {}).get("sha256")
    headers = f"X-Request-ID: {request_id}" if request_id else ""
    return RequestForm(method=call.method, path=call.path, headers=headers, certificate=sha256 or _WITHOUT)


def _described(form: RequestForm, call: Call | None, certificates: Mapping[str, CertificateRecord]) -> DescribedRequest:
    headers = dict(_headers(form))
    secret = (form.token.data or "").strip() or _bearer(headers.pop(_AUTHORIZATION, ""))
    record = call.record if call is not None else {}
    of_call = (record.get("token") or {}).get("id")
    chosen = certificates.get(form.certificate.data or _WITHOUT)
    for name, most in (("path", _MOST_PATH), ("headers", _MOST_HEADERS), ("body", _MOST_BODY)):
        if len(form[name].data or "") > most:
            form.refuse(name, f"That is too long: at most {most} characters are taken.")
    return DescribedRequest(
        method=form.method.data or "GET",
        path=(form.path.data or "").strip(),
        address=str(record.get("client_ip") or origin().address),
        headers=headers,
        body=form.body.data or "",
        certificate=_pem(chosen) if chosen is not None else None,
        token=hashlib.sha256(secret.encode()).hexdigest() if secret else of_call,
    )


def _pem(record: CertificateRecord) -> str:
    return x509.load_der_x509_certificate(record.der).public_bytes(Encoding.PEM).decode("ascii")


def _headers(form: RequestForm) -> Sequence[tuple[str, str]]:
    """Read the lines, names in small letters; a line that is no header is a fault."""
    read = []
    for number, line in enumerate((form.headers.data or "").splitlines(), start=1):
        name, colon, value = line.partition(":")
        if line.strip() and (not colon or not name.strip()):
            form.refuse("headers", f"Line {number}: write a header as Name: value.")
        elif line.strip():
            read.append((name.strip().lower(), value.strip()))
    return read


def _lines_without_token(form: RequestForm) -> Sequence[str]:
    lines = (form.headers.data or "").splitlines()
    return [line for line in lines if line.partition(":")[0].strip().lower() != _AUTHORIZATION]


def _bearer(authorization: str) -> str:
    _, _, secret = authorization.partition(" ")
    return secret.strip()


def _offered(certificates: Mapping[str, CertificateRecord]) -> dict[str, str]:
    told = {sha256: f"{record.serial[:8]}… until {record.not_after:%d %B %Y}" for sha256, record in certificates.items()}
    return told | {_WITHOUT: "none"}
