"""Three ways to a certificate: from a signing request, from a key that the browser makes, or with a key made here."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Response, flash, jsonify, make_response, render_template, request
from wtforms import FileField, TextAreaField

from sandbox.ca.errors import CsrRefused
from sandbox.ca.model import Fault
from sandbox.ca.pkcs12 import new_passphrase, pkcs12_of
from sandbox.portal.addresses import see_other
from sandbox.portal.forms import PortalForm
from sandbox.portal.pages.paths import tpp_path
from sandbox.portal.pages.tpp_forms import sentence
from sandbox.tpps.client_data import client_data
from sandbox.tpps.kit import kit
from sandbox.tpps.openssl import signing_request_command
from sandbox.tpps.orders import FormAnswered, FormUnknown, new_form
from sandbox.tpps.subjects import subject_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from sandbox.ca.model import CertificateRecord, IssuedCertificate, TppCertificateKind
    from sandbox.services import Services
    from sandbox.tpps.model import Tpp

_PRIVATE_KEY: Final = "csr.private_key"
_ANSWERED: Final = (
    "This form was sent before, and answered once: here is the certificate that was issued for it. A private key that was made "
    "for you was shown on that answer alone. If you have not kept it, revoke this certificate and make another."
)
_IN_PROGRESS: Final = "This form was sent a moment ago, and is being answered. Its certificate appears here shortly."
_OPEN_ANEW: Final = "The form was incomplete, so nothing was issued. Open it anew, and send it again."
_SIGNING_REQUEST, _ATTACHMENT = "application/pkcs10,.csr,.req,.pem,.der,.p10", "application/octet-stream"


class Way(StrEnum):
    """How one comes to a certificate."""

    CSR = "csr"
    BROWSER = "browser"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be issued: one more certificate of a kind, the successor of one, or a faulty one."""

    tpp: Tpp
    kind: TppCertificateKind
    replaces: CertificateRecord | None = None
    fault: Fault | None = None


class CsrForm(PortalForm):
    """A signing request, as a file or as text."""

    csr_file = FileField("Signing request, as a file", description="PEM or DER, at most 16 KiB.")
    csr = TextAreaField("or pasted", description="From -----BEGIN CERTIFICATE REQUEST----- to the END line.")

    def sent(self) -> bytes | None:
        """Return the request, or None: then a fault says what is missing."""
        file = request.files.get(self.csr_file.name)
        uploaded, pasted = file.read() if file else b"", (self.csr.data or "").strip()
        if uploaded and pasted:
            self.refuse("csr", "There is a file and a text: send one of the two.")
        elif not uploaded and not pasted:
            is_empty_file = file is not None and bool(file.filename)
            self.refuse(
                "csr_file", "The file is empty." if is_empty_file else "Choose the file of a signing request, or paste it."
            )
        else:
            return uploaded or pasted.encode()
        return None


class Issuing:
    """Answers the forms by which certificates come."""

    def __init__(self, services: Services) -> None:
        """Issue by these."""
        self._services = services

    def page(self, wish: Wish, form: CsrForm | None = None, status: HTTPStatus = HTTPStatus.OK) -> AnyResponse:
        """Show the three ways."""
        subject = subject_of(wish.tpp)
        page = render_template(
            "certificates/new.html",
            tpp=wish.tpp,
            wish=wish,
            form=form or CsrForm(),
            mark=new_form(),
            subject=subject,
            command=signing_request_command(wish.tpp, wish.kind),
            accept=_SIGNING_REQUEST,
        )
        return make_response(page, status)

    def answer(self, wish: Wish) -> AnyResponse:
        """Answer one of the three forms."""
        ways = {Way.CSR: self._from_csr, Way.BROWSER: self._from_browser, Way.SERVER: self._made_here}
        way = next((answer for name, answer in ways.items() if name == request.form.get("way")), None)
        try:
            return way(wish) if way else _incomplete()
        except FormAnswered as answered:
            return self._answered(wish, answered)
        except FormUnknown:
            return _incomplete()

    def _from_csr(self, wish: Wish) -> AnyResponse:
        form = CsrForm.submitted()
        csr = form.sent()
        if csr is None:
            return self.page(wish, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            issued = self._issued(wish, csr)
        except CsrRefused as refusal:
            if refusal.code == _PRIVATE_KEY:
                form.csr.data = ""  # a key is not sent back either
            form.refuse("csr" if form.csr.data else "csr_file", sentence(str(refusal)))
            return self.page(wish, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        flash(f"Issued. It fits the key of your signing request: keep that key beside it, as {wish.kind}.key.", "good")
        for note in issued.notes:
            flash(sentence(note), "warn")
        return see_other(tpp_path(wish.tpp, "certificates", issued.serial))

    def _from_browser(self, wish: Wish) -> AnyResponse:
        try:
            issued = self._issued(wish, request.form.get("csr", "").encode())
        except CsrRefused as refusal:
            return _told(HTTPStatus.UNPROCESSABLE_ENTITY, sentence(str(refusal)))
        answer = {
            "serial": issued.serial,
            "certificate": issued.bundle,
            "not_after": issued.not_after.isoformat(),
            "page": tpp_path(wish.tpp, "certificates", issued.serial),
        }
        return jsonify(answer)

    def _made_here(self, wish: Wish) -> AnyResponse:
        """Issue over a key made here, and hand both over on this one page."""
        issued = self._issued(wish, None)
        if issued.fault is Fault.REVOKED:
            self._services.trust.try_delivery()
        passphrase = new_passphrase()
        page = render_template(
            "certificates/made.html",
            tpp=wish.tpp,
            wish=wish,
            issued=issued,
            passphrase=passphrase,
            downloads=self._downloads(wish, issued, passphrase),
            edge=self._services.addresses.edge,
        )
        response = make_response(page)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _issued(self, wish: Wish, csr: bytes | None) -> IssuedCertificate:
        def issue() -> IssuedCertificate:
            if wish.replaces is not None:
                return self._services.register.renew(wish.tpp, wish.replaces.serial, csr=csr)
            return self._services.register.issue(wish.tpp, wish.kind, csr=csr, fault=wish.fault)

        return self._services.orders.once(wish.tpp, request.form.get("form", ""), issue)

    def _downloads(self, wish: Wish, issued: IssuedCertificate, passphrase: str) -> dict[str, str]:
        stem = wish.fault or wish.kind
        name = f"{wish.tpp.name}-{stem}"
        files = {
            f"{name}.zip": self.kit(wish, issued.bundle, issued.private_key),
            f"{stem}.crt": issued.bundle.encode(),
            f"{stem}.key": (issued.private_key or "").encode(),
            f"{name}.p12": pkcs12_of(issued, name=name, passphrase=passphrase),
        }
        return {file: f"data:{_ATTACHMENT};base64,{base64.b64encode(body).decode()}" for file, body in files.items()}

    def kit(self, wish: Wish, certificate: str, private_key: str | None = None) -> bytes:
        """Return the .zip to unpack where one works."""
        return kit(
            client_data(wish.tpp, self._services.addresses),
            kind=wish.kind,
            fault=wish.fault,
            certificate=certificate,
            private_key=private_key,
            trust=self._services.settings.home.trust_bundle.read_bytes(),
            at=self._services.clock.now(),
        )

    def _answered(self, wish: Wish, answered: FormAnswered) -> AnyResponse:
        if request.form.get("way") == Way.BROWSER:
            return _told(HTTPStatus.CONFLICT, _IN_PROGRESS if answered.serial is None else _ANSWERED)
        if answered.serial is None:
            flash(_IN_PROGRESS, "warn")
            return see_other(tpp_path(wish.tpp, "certificates"))
        flash(_ANSWERED, "warn")
        return see_other(tpp_path(wish.tpp, "certificates", answered.serial))


def _incomplete() -> AnyResponse:
    if request.form.get("way") == Way.BROWSER:
        return _told(HTTPStatus.UNPROCESSABLE_ENTITY, _OPEN_ANEW)
    flash(_OPEN_ANEW, "warn")
    return see_other(request.full_path.removesuffix("?"))


def _told(status: HTTPStatus, detail: str) -> Response:
    response = jsonify({"detail": detail})
    response.status_code = status.value
    return response
