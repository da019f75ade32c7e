"""An invitation, opened by whoever holds its link: sign up and join, or join with the account that one has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, render_template

from sandbox.developers.errors import MembershipRefused, TooManyAttempts, UnknownInvitation
from sandbox.portal.addresses import see_other
from sandbox.portal.forms import form_page
from sandbox.portal.pages.entry import SIGNED_UP, PersonForm
from sandbox.portal.visitor import current_visitor, origin, visitor

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.services import Services

_GONE = 410


def blueprint(services: Services) -> Blueprint:
    """Return the pages; the edge and the logs know their paths without the secret."""
    pages = Blueprint("invitations", __name__)
    views = _Views(services)
    pages.add_url_rule("/invitations/<secret>", view_func=views.show, methods=["GET"])
    pages.add_url_rule("/invitations/<secret>", view_func=views.sign_up, methods=["POST"])
    pages.add_url_rule("/invitations/<secret>/join", view_func=views.join, methods=["POST"])
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._organisations = services.organisations
        self._developers = services.developers

    def show(self, secret: str) -> Response | tuple[str, int]:
        try:
            return self._page(secret, PersonForm())
        except UnknownInvitation as error:
            return _gone(error)

    def sign_up(self, secret: str) -> Response | tuple[str, int]:
        form = PersonForm.submitted()
        try:
            if not form.validate():
                return self._page(secret, form)
            self._organisations.welcome(secret)
            self._developers.sign_up(form.as_sign_up(organisation=None, invitation=secret), origin())
        except TooManyAttempts as error:
            return self._page(secret, form, busy=error)
        except UnknownInvitation as error:
            return _gone(error)
        flash(SIGNED_UP, "good")
        return see_other("/sign-in")

    def join(self, secret: str) -> Response | tuple[str, int]:
        try:
            welcome = self._organisations.join(visitor(), secret)
        except UnknownInvitation as error:
            return _gone(error)
        except MembershipRefused as error:
            flash(str(error), "warn")
            return see_other("/organisation")
        flash(f"You belong to {welcome.organisation.name} now.", "good")
        return see_other("/organisation")

    def _page(self, secret: str, form: PersonForm, *, busy: TooManyAttempts | None = None) -> Response:
        welcome = self._organisations.welcome(secret)
        shown = None if current_visitor() else form
        return form_page("organisation/invitation.html", shown, busy=busy, welcome=welcome, secret=secret)


def _gone(error: UnknownInvitation) -> tuple[str, int]:
    return render_template("organisation/invitation_gone.html", text=str(error)), _GONE
