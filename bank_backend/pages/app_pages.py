"""The bank app's pages: sign in, see what waits, approve or reject it (docs/architecture.md §3.2).

Everything works without JavaScript; with it the list of what waits renews itself.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003 - Flask reads the annotation's converter at run time

from flask import request
from markupsafe import Markup

from bank_backend.bankapp.errors import BankNotFound, NotSignedIn, RequestChanged
from bank_backend.errors import FieldsInvalid, PsuCredentialsInvalid, PsuLocked, StatusInvalid
from bank_backend.pages.faults import FormFault, credentials_of
from bank_backend.pages.rendering import no_news, page, to
from bank_backend.pages.sessions import (
    APP,
    begin_app,
    csrf_token,
    end_app,
    forget_told,
    require_own_form,
    secret_of,
    tell_next,
    told_last,
)
from bank_backend.sca.errors import CodeExpired, PushUnknown, StatementChanged, TooManyCodes
from psd2.ids import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug.wrappers import Response as AnyResponse

    from bank_backend.bankapp.model import AppRequest, SignedIn
    from bank_backend.services import Services
    from bank_backend.tenants.model import Tenant

HOME = "/psu/app"
# What a PSU can go on from: the list is shown again, and says what was wrong.
_FAULTS = (RequestChanged, FieldsInvalid, PsuLocked, StatusInvalid, CodeExpired, StatementChanged, PushUnknown, TooManyCodes)


class AppPages:
    """One method a route: parse, call, render."""

    def __init__(self, services: Services) -> None:
        """Show what `services.bank_app` says."""
        self._services = services
        self._sessions = services.bank_app.sessions
        self._requests = services.bank_app.requests

    def home(self) -> AnyResponse:
        """Show what waits; without a session, ask which company's bank it is."""
        try:
            who = self.signed_in()
        except NotSignedIn:
            return page("app_bank", fault=None)
        return self._home(who)

    def choose_bank(self) -> AnyResponse:
        """Go on to the sign-in of the bank that was named."""
        try:
            bank = self._sessions.bank(request.args.get("tpp", ""))
        except BankNotFound as error:
            return page("app_bank", fault=FormFault.of(error, field="tpp"))
        return to(f"{HOME}/at/{bank.id}")

    def sign_in_page(self, tpp: str) -> AnyResponse:
        """Show the sign-in of one company's bank."""
        return self._sign_in_page(self._sessions.bank(tpp))

    def sign_in(self) -> AnyResponse:
        """Take user name and password; a new secret for the browser, so that an earlier one is worth nothing."""
        require_own_form(request, APP)
        bank = self._sessions.bank(request.form.get("tpp", ""))
        try:
            login, password = credentials_of(request.form)
            secret = self._sessions.sign_in(bank.id, login, password)
        except (FormFault, PsuCredentialsInvalid) as error:
            return self._sign_in_page(bank, FormFault.of(error, field="login"))
        self._sessions.sign_out(secret_of(request, APP) or "")
        answer = to(HOME)
        begin_app(answer, secret)
        return answer

    def sign_out(self) -> AnyResponse:
        """End the session."""
        self._sessions.sign_out(require_own_form(request, APP))
        answer = to(HOME)
        end_app(answer)
        return answer

    def waiting(self) -> AnyResponse:
        """Answer the list that asks for news of itself: with nothing while nothing is new, so that a choice stays chosen."""
        try:
            who = self.signed_in(is_activity=False)
        except NotSignedIn:
            answer = no_news()
            answer.headers["HX-Redirect"] = HOME
            return answer
        waiting = self._requests.waiting(who.psu)
        if request.args.get("seen") == _digest(waiting):
            return no_news()
        return page("app_waiting", requests=waiting, seen=_digest(waiting), csrf=self._csrf())

    def approve(self, authorisation: UUID) -> AnyResponse:
        """Approve a request as it was shown."""
        psu = self.signed_in_by_form().psu
        seal, accounts = request.form.get("seal", ""), request.form.getlist("account")
        return self._answered(lambda: self._requests.approve(psu, str(authorisation), seal=seal, accounts=accounts))

    def reject(self, authorisation: UUID) -> AnyResponse:
        """Turn a request down."""
        psu = self.signed_in_by_form().psu
        return self._answered(lambda: self._requests.reject(psu, str(authorisation)))

    def inbox(self) -> AnyResponse:
        """Show what the sandbox delivered to the PSU."""
        who = self.signed_in()
        return self.show("app_inbox", who, messages=self._services.inbox.messages(who.psu.tenant, who.psu.id))

    def signed_in(self, *, is_activity: bool = True) -> SignedIn:
        """Return who uses this browser; raises `NotSignedIn`."""
        return self._sessions.signed_in(secret_of(request, APP) or "", is_activity=is_activity)

    def signed_in_by_form(self) -> SignedIn:
        """Return who has sent a form of ours; raises `NotSignedIn`, `CsrfRefused`."""
        who = self.signed_in()
        require_own_form(request, APP)
        return who

    def show(
        self, template: str, who: SignedIn, *, fault: FormFault | None = None, scripted: bool = False, **context: object
    ) -> AnyResponse:
        """Return a page of the app, with what the one before has left to be said."""
        told = told_last(request)
        answer = page(template, fault=fault, scripted=scripted, who=who, told=told, csrf=self._csrf(), **context)
        if told:
            forget_told(answer)
        return answer

    def _home(self, who: SignedIn, fault: FormFault | None = None) -> AnyResponse:
        waiting = self._requests.waiting(who.psu)
        return self.show("app_home", who, fault=fault, scripted=True, requests=waiting, seen=_digest(waiting))

    def _answered(self, answer: Callable[[], str]) -> AnyResponse:
        try:
            told = answer()
        except _FAULTS as error:
            return self._home(self.signed_in(), FormFault.of(error, field="waiting"))
        on = to(HOME)
        tell_next(on, told)
        return on

    def _sign_in_page(self, bank: Tenant, fault: FormFault | None = None) -> AnyResponse:
        known = secret_of(request, APP)
        secret = known or new_secret()
        personas = self._services.tenants.residents(bank.id)
        answer = page("app_sign_in", tpp=bank, personas=personas, fault=fault, csrf=csrf_token(secret))
        if known is None:
            begin_app(answer, secret)
        return answer

    def _csrf(self) -> str:
        return csrf_token(secret_of(request, APP) or "")


def inline_svg(svg: str) -> Markup:
    """Return a picture that we have drawn ourselves, to stand in a page as it is."""
    return Markup(svg)  # noqa: S704 - our own drawing, no text of anybody's in it


def _digest(waiting: Sequence[AppRequest]) -> str:
    shown = "\n".join(f"{each.seal} {each.push.id if each.push else ''}" for each in waiting)
    return hashlib.sha256(shown.encode()).hexdigest()[:16]
