"""A TPP's certificates: the list, one with everything explained, download, renew, revoke, faulty ones on demand."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from cryptography import x509
from flask import Blueprint, Response, flash, make_response, render_template, request
from werkzeug.exceptions import NotFound
from wtforms import RadioField

from sandbox.ca.errors import FaultUnavailable, NotRevocable, UnknownCertificate
from sandbox.ca.faults import FAULTS
from sandbox.ca.issuance import pem_of
from sandbox.ca.model import Fault, RevocationReason, TppCertificateKind
from sandbox.ca.platform_certificates import PUBLISHING
from sandbox.doctor.documents import gateway_says, verdict
from sandbox.portal.addresses import see_other
from sandbox.portal.forms import PortalForm
from sandbox.portal.pages.choices import choices_of
from sandbox.portal.pages.issuing import Issuing, Wish
from sandbox.portal.pages.paths import tpp_path
from sandbox.portal.pages.tpp_forms import sentence
from sandbox.portal.visitor import owned_tpp
from sandbox.tpps.held import held_certificates
from sandbox.tpps.model import TppStatus
from sandbox.tpps.orders import new_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response as AnyResponse

    from sandbox.ca.model import CertificateRecord
    from sandbox.services import Services
    from sandbox.tpps.held import HeldCertificate
    from sandbox.tpps.model import Tpp

_SHORT_SERIAL: Final = 8
_PEM, _ZIP = "application/x-pem-file", "application/zip"
# RFC 5280 §5.3.1, as far as a TPP can mean them.
_REASONS: Final = {
    RevocationReason.SUPERSEDED: "superseded: another certificate has taken its place",
    RevocationReason.KEY_COMPROMISE: "keyCompromise: the private key may be in other hands; it is never certified again",
    RevocationReason.CESSATION_OF_OPERATION: "cessationOfOperation: it is not needed any more",
    RevocationReason.AFFILIATION_CHANGED: "affiliationChanged: name or owner of the firm have changed",
    RevocationReason.PRIVILEGE_WITHDRAWN: "privilegeWithdrawn: the firm's authorisation was withdrawn",
    RevocationReason.UNSPECIFIED: "unspecified: for none of these reasons",
}


class RevocationForm(PortalForm):
    """Why."""

    reason = RadioField(
        "Reason",
        choices=choices_of(_REASONS),
        default=RevocationReason.SUPERSEDED.value,
        description="It stands in the revocation list, for everybody to read.",
        validate_choice=False,
    )

    def parsed(self) -> RevocationReason | None:
        """Return the reason, or None: then a fault says so."""
        reason = next((each for each in _REASONS if each == self.reason.data), None)
        if reason is None:
            self.refuse("reason", "Choose one of the reasons.")
        return reason


class FaultForm(PortalForm):
    """Which fault, in which kind of certificate."""

    kind = RadioField(
        "Kind",
        choices=choices_of({"qwac": "QWAC, presented in TLS", "qseal": "QSealC, which signs messages"}),
        default="qwac",
        validate_choice=False,
    )
    fault = RadioField(
        "Fault",
        choices=choices_of({fault: f"{fault}: {spec.shows}" for fault, spec in FAULTS.items() if not spec.unavailable}),
        description="Each is wrong in exactly one way.",
        validate_choice=False,
    )

    def parsed(self) -> tuple[TppCertificateKind, Fault] | None:
        """Return both, or None: then faults say what is missing."""
        kind = next((each for each in TppCertificateKind if each == self.kind.data), None)
        fault = next((each for each, spec in FAULTS.items() if each == self.fault.data and not spec.unavailable), None)
        if kind is None:
            self.refuse("kind", "Choose one of the two.")
        if fault is None:
            self.refuse("fault", "Choose one of the faults.")
        return (kind, fault) if kind and fault else None


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("certificates", __name__, url_prefix="/tpps/<number>/certificates")
    views = _Views(services)
    pages.add_url_rule("", view_func=views.all)
    pages.add_url_rule("/new", view_func=views.new_page, methods=["GET"])
    pages.add_url_rule("/new", view_func=views.new, methods=["POST"])
    pages.add_url_rule("/faulty", view_func=views.faulty_page, methods=["GET"])
    pages.add_url_rule("/faulty", view_func=views.faulty, methods=["POST"])
    pages.add_url_rule("/<serial>", view_func=views.one)
    pages.add_url_rule("/<serial>.pem", view_func=views.pem)
    pages.add_url_rule("/<serial>.zip", view_func=views.zip)
    pages.add_url_rule("/<serial>/renew", view_func=views.renew_page, methods=["GET"])
    pages.add_url_rule("/<serial>/renew", view_func=views.renew, methods=["POST"])
    pages.add_url_rule("/<serial>/revoke", view_func=views.revoke_page, methods=["GET"])
    pages.add_url_rule("/<serial>/revoke", view_func=views.revoke, methods=["POST"])
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._register = services.register
        self._issuing = Issuing(services)

    # --- looking ------------------------------------------------------------------------------------------------------

    def all(self, number: str) -> AnyResponse:
        tpp = owned_tpp(self._services, number)
        held = self._held(tpp)
        return _page("list", tpp=tpp, held=held, in_force=sum(each.is_in_force for each in held))

    def one(self, number: str, serial: str) -> AnyResponse:
        tpp, record = self._own(number, serial)
        examination = self._services.doctor().examine(self._bundle(record).encode(), numbers=frozenset({number}))
        return _page(
            "one",
            tpp=tpp,
            held=self._held_one(tpp, record),
            predecessor=self._predecessor(tpp, record),
            examination=examination,
            verdict=verdict(examination),
            gateway_says=gateway_says,
            spec=FAULTS[record.fault] if record.fault else None,
            is_list_taken=self._services.trust.is_list_taken(),
            edge=self._services.addresses.edge,
        )

    def pem(self, number: str, serial: str) -> AnyResponse:
        tpp, record = self._own(number, serial)
        parts = {"": self._bundle, "leaf": _leaf, "chain": self._chain}
        part = parts.get(request.args.get("part", ""))
        if part is None:
            raise NotFound
        return _download(part(record).encode(), _PEM, f"{_file_stem(tpp, record)}{_suffix()}.pem")

    def zip(self, number: str, serial: str) -> AnyResponse:
        tpp, record = self._own(number, serial)
        wish = Wish(tpp=tpp, kind=TppCertificateKind(record.profile), fault=record.fault)
        return _download(self._issuing.kit(wish, self._bundle(record)), _ZIP, f"{_file_stem(tpp, record)}.zip")

    # --- issuing ------------------------------------------------------------------------------------------------------

    def new_page(self, number: str) -> AnyResponse:
        return self._issuing_for(number, self._issuing.page)

    def new(self, number: str) -> AnyResponse:
        return self._issuing_for(number, self._issuing.answer)

    def renew_page(self, number: str, serial: str) -> AnyResponse:
        return self._issuing_for(number, self._issuing.page, serial)

    def renew(self, number: str, serial: str) -> AnyResponse:
        return self._issuing_for(number, self._issuing.answer, serial)

    def faulty_page(self, number: str) -> AnyResponse:
        return self._issuing_for(number, lambda wish: _faulty(wish.tpp, FaultForm()))

    def faulty(self, number: str) -> AnyResponse:
        def answer(wish: Wish) -> AnyResponse:
            form = FaultForm.submitted()
            wanted = form.parsed()
            if wanted is None:
                return _faulty(wish.tpp, form)
            try:
                return self._issuing.answer(Wish(tpp=wish.tpp, kind=wanted[0], fault=wanted[1]))
            except FaultUnavailable as refusal:
                form.refuse("fault", sentence(str(refusal)))
                return _faulty(wish.tpp, form)

        return self._issuing_for(number, answer)

    def _issuing_for(self, number: str, go_on: Callable[[Wish], AnyResponse], serial: str | None = None) -> AnyResponse:
        tpp = owned_tpp(self._services, number)
        replaced = self._own(number, serial)[1] if serial is not None else None
        if tpp.status is TppStatus.REGISTERING:
            flash("The registration has to be finished first.", "warn")
            return see_other(tpp_path(tpp))
        if replaced is not None:
            return go_on(Wish(tpp=tpp, kind=TppCertificateKind(replaced.profile), replaces=replaced))
        return go_on(Wish(tpp=tpp, kind=_asked_kind()))

    # --- revoking -----------------------------------------------------------------------------------------------------

    def revoke_page(self, number: str, serial: str) -> AnyResponse:
        tpp, record = self._own(number, serial)
        if not self._held_one(tpp, record).is_revocable:
            return see_other(tpp_path(tpp, "certificates", record.serial))
        return _page("revoke", tpp=tpp, record=record, form=RevocationForm())

    def revoke(self, number: str, serial: str) -> AnyResponse:
        tpp, record = self._own(number, serial)
        form = RevocationForm.submitted()
        reason = form.parsed()
        if reason is None:
            return _page("revoke", HTTPStatus.UNPROCESSABLE_ENTITY, tpp=tpp, record=record, form=form)
        try:
            self._register.revoke(tpp, record.serial, reason)
        except NotRevocable as refusal:
            flash(sentence(str(refusal)), "warn")
        else:
            is_taken = self._services.trust.try_delivery()
            flash(_TAKEN if is_taken else _NOT_TAKEN, "good" if is_taken else "warn")
        return see_other(tpp_path(tpp, "certificates", record.serial))

    # --- what is ours -------------------------------------------------------------------------------------------------

    def _own(self, number: str, serial: str) -> tuple[Tpp, CertificateRecord]:
        """Return TPP and certificate; another's serial number is as unknown as one that was never issued."""
        tpp = owned_tpp(self._services, number)
        try:
            record = self._register.certificate(tpp, serial)
        except UnknownCertificate:
            raise NotFound from None
        if record.serial != serial or record.profile not in set(TppCertificateKind):
            raise NotFound
        return tpp, record

    def _held(self, tpp: Tpp, *others: CertificateRecord) -> list[HeldCertificate]:
        records = {record.serial: record for record in (*self._register.certificates(tpp), *others)}
        return held_certificates(list(records.values()), now=self._services.clock.now())

    def _held_one(self, tpp: Tpp, record: CertificateRecord) -> HeldCertificate:
        return next(each for each in self._held(tpp, record) if each.record.serial == record.serial)

    def _predecessor(self, tpp: Tpp, record: CertificateRecord) -> CertificateRecord | None:
        try:
            return self._register.certificate(tpp, record.replaces) if record.replaces else None
        except UnknownCertificate:
            return None

    def _bundle(self, record: CertificateRecord) -> str:
        return _leaf(record) + self._chain(record)

    def _chain(self, record: CertificateRecord) -> str:
        """Return the authority that issued it; what nobody vouches for has none."""
        if record.ca not in PUBLISHING:
            return ""
        return pem_of(x509.load_der_x509_certificate(self._services.authority.ca_certificate(record.ca)))


_TAKEN: Final = "Revoked. The gateway has taken the revocation list, and refuses the certificate within a second."
_NOT_TAKEN: Final = (
    "Revoked and published. The gateway could not be reached: it gets the revocation list as soon as it answers, "
    "and goes on accepting the certificate until then."
)


def _leaf(record: CertificateRecord) -> str:
    return pem_of(x509.load_der_x509_certificate(record.der))


def _asked_kind() -> TppCertificateKind:
    asked = request.args.get("kind", TppCertificateKind.QWAC.value)
    kind = next((each for each in TppCertificateKind if each == asked), None)
    if kind is None:
        raise NotFound
    return kind


def _suffix() -> str:
    part = request.args.get("part", "")
    return f"-{part}" if part else ""


def _file_stem(tpp: Tpp, record: CertificateRecord) -> str:
    """Name a file; name and serial number are letters, digits and hyphens only."""
    return f"{tpp.name}-{record.fault or record.profile}-{record.serial[:_SHORT_SERIAL]}"


def _download(body: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, content_type=media_type, headers=headers)


def _faulty(tpp: Tpp, form: FaultForm) -> AnyResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return _page("faulty", status, tpp=tpp, form=form, catalogue=FAULTS, mark=new_form())


def _page(name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> AnyResponse:
    return make_response(render_template(f"certificates/{name}.html", **values), status)
