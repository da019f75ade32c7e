"""A TPP in the portal: register it, look at it, change it, take one over, leave."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, flash, make_response, render_template

from chassis.serving.turnstile import Turnstile
from sandbox.ca.errors import SubjectRefused
from sandbox.ca.model import TppCertificateKind
from sandbox.developers.errors import TooManyAttempts
from sandbox.portal.addresses import see_other
from sandbox.portal.pages.paths import tpp_path
from sandbox.portal.pages.tpp_forms import AmendmentForm, ClaimForm, RegistrationForm, sentence
from sandbox.portal.visitor import origin, owned_tpp, visitor
from sandbox.tpps.errors import AccessDenied, ClientRefused, RegistrationConflict, RegistrationInterrupted
from sandbox.tpps.held import held_certificates
from sandbox.tpps.introduction import STEPS
from sandbox.tpps.model import TppStatus
from sandbox.tpps.openssl import KeyCommands

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.services import Services
    from sandbox.tpps.model import RegistrationRequest, Tpp

_AT_ONCE, _WAITING, _PATIENCE_SECONDS = 2, 8, 20.0
_NOTHING_TO_CLAIM: Final = (
    "No TPP has this number and this token, or it belongs to an organisation already. The token is replaced whenever a new one "
    "is made: take it from the newest client.json."
)


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("tpps", __name__, url_prefix="/tpps")
    pages.add_app_template_global(tpp_path)
    views = _Views(services)
    pages.add_url_rule("/new", view_func=views.new_page, methods=["GET"])
    pages.add_url_rule("/new", view_func=views.new, methods=["POST"])
    pages.add_url_rule("/claim", view_func=views.claim_page, methods=["GET"])
    pages.add_url_rule("/claim", view_func=views.claim, methods=["POST"])
    pages.add_url_rule("/<number>", view_func=views.overview, methods=["GET"])
    pages.add_url_rule("/<number>/continue", view_func=views.resume, methods=["POST"])
    pages.add_url_rule("/<number>/change", view_func=views.change_page, methods=["GET"])
    pages.add_url_rule("/<number>/change", view_func=views.change, methods=["POST"])
    pages.add_url_rule("/<number>/token", view_func=views.new_token, methods=["POST"])
    pages.add_url_rule("/<number>/leave", view_func=views.leave_page, methods=["GET"])
    pages.add_url_rule("/<number>/leave", view_func=views.leave, methods=["POST"])
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._ownership = services.register.ownership
        self._turnstile = Turnstile(inside=_AT_ONCE, waiting=_WAITING, patience_seconds=_PATIENCE_SECONDS)

    # --- in -----------------------------------------------------------------------------------------------------------

    def new_page(self) -> Response:
        organisation = visitor().organisation.name
        return self._new_again(RegistrationForm(data={"organisation": organisation}), HTTPStatus.OK)

    def new(self) -> Response:
        who, form = visitor(), RegistrationForm.submitted()
        request = form.parsed()
        if request is None:
            return self._new_again(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            tpp = self._enrolled(request, organisation_id=who.organisation.id)
        except (RegistrationConflict, TooManyAttempts, SubjectRefused, ClientRefused) as refusal:
            return self._new_again(form, _put_at_its_field(form, refusal))
        except RegistrationInterrupted as interruption:
            return self._new_again(form, HTTPStatus.SERVICE_UNAVAILABLE, interruption)
        flash(f"{tpp.organisation} is registered, and has a bank of its own. Next: its certificates.", "good")
        return see_other(tpp_path(tpp))

    def claim_page(self) -> Response:
        visitor()
        return _page("claim", form=ClaimForm())

    def claim(self) -> Response:
        who, form = visitor(), ClaimForm.submitted()
        try:
            tpp = self._ownership.claim(
                (form.number.data or "").strip(), (form.token.data or "").strip(), organisation_id=who.organisation.id
            )
        except AccessDenied:
            form.refuse("token", _NOTHING_TO_CLAIM)
            form.token.data = ""
            return _page("claim", HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
        flash(f"{tpp.organisation} belongs to {who.organisation.name} now.", "good")
        return see_other(tpp_path(tpp))

    # --- there --------------------------------------------------------------------------------------------------------

    def overview(self, number: str) -> Response:
        tpp = owned_tpp(self._services, number)
        held = held_certificates(self._services.register.certificates(tpp), now=self._services.clock.now())
        usable = {kind: any(each.is_usable and each.record.profile == kind for each in held) for kind in TppCertificateKind}
        return _page("overview", tpp=tpp, usable=usable, addresses=self._services.addresses)

    def resume(self, number: str) -> Response:
        tpp = owned_tpp(self._services, number)
        try:
            with self._turnstile.passage():
                tpp = self._ownership.resume(tpp)
        except RegistrationInterrupted as interruption:
            return _page("broken_off", HTTPStatus.SERVICE_UNAVAILABLE, tpp=tpp, **_told(interruption))
        flash(f"{tpp.organisation} is registered. Next: its certificates.", "good")
        return see_other(tpp_path(tpp))

    def change_page(self, number: str) -> Response:
        tpp = owned_tpp(self._services, number)
        return _page("change", tpp=tpp, form=AmendmentForm.of(tpp))

    def change(self, number: str) -> Response:
        tpp, form = owned_tpp(self._services, number), AmendmentForm.submitted()
        amendment = form.parsed()
        if amendment is None:
            return _page("change", HTTPStatus.UNPROCESSABLE_ENTITY, tpp=tpp, form=form)
        if tpp.status is TppStatus.REGISTERING:
            return see_other(tpp_path(tpp))  # whose page says to continue first
        try:
            self._ownership.amend(tpp, amendment)
        except SubjectRefused as refusal:
            form.refuse("organisation", sentence(str(refusal)))
            return _page("change", HTTPStatus.UNPROCESSABLE_ENTITY, tpp=tpp, form=form)
        except RegistrationInterrupted as interruption:
            return _page("change", HTTPStatus.SERVICE_UNAVAILABLE, tpp=tpp, form=form, **_told(interruption))
        flash("Changed. The gateway and the bank know it already.", "good")
        return see_other(tpp_path(tpp))

    def new_token(self, number: str) -> Response:
        tpp = owned_tpp(self._services, number)
        token = self._ownership.new_access_token(tpp)
        return _page("token", tpp=tpp, token=token, address=self._services.addresses.registration(tpp))

    # --- out ----------------------------------------------------------------------------------------------------------

    def leave_page(self, number: str) -> Response:
        return _page("leave", tpp=owned_tpp(self._services, number))

    def leave(self, number: str) -> Response:
        tpp = owned_tpp(self._services, number)
        self._services.register.leave(tpp)
        self._services.trust.try_delivery()
        flash(f"{tpp.organisation} has left. Its number, {tpp.authorisation_number}, is kept for your organisation.", "good")
        return see_other("/")

    def _enrolled(self, request: RegistrationRequest, *, organisation_id: str) -> Tpp:
        self._services.registrations.spend(origin().address)
        with self._turnstile.passage():
            return self._ownership.enrol(request, organisation_id=organisation_id)

    def _new_again(
        self, form: RegistrationForm, status: HTTPStatus, interruption: RegistrationInterrupted | None = None
    ) -> Response:
        told = _told(interruption) if interruption else {}
        return _page("new", status, form=form, callback=self._demo_callback(), key_commands=KeyCommands(), **told)

    def _demo_callback(self) -> str:
        addresses = self._services.addresses
        return f"https://{addresses.host}:{addresses.ports.demo}/callback"


def _put_at_its_field(
    form: RegistrationForm, refusal: RegistrationConflict | TooManyAttempts | SubjectRefused | ClientRefused
) -> HTTPStatus:
    """Put what stands in the way at its field, and return the status that says so."""
    if isinstance(refusal, ClientRefused):
        form.refuse_client(refusal.faults)
    elif isinstance(refusal, RegistrationConflict):
        form.refuse_taken(refusal.field, str(refusal))
        return HTTPStatus.CONFLICT
    elif isinstance(refusal, TooManyAttempts):
        form.refuse_taken("identifier", str(refusal))
        return HTTPStatus.TOO_MANY_REQUESTS
    else:
        form.refuse_taken("organisation", str(refusal))
    return HTTPStatus.UNPROCESSABLE_ENTITY


def _told(interruption: RegistrationInterrupted) -> dict[str, object]:
    return {"interruption": interruption, "steps": STEPS}


def _page(name: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response:
    return make_response(render_template(f"tpps/{name}.html", **values), status)
