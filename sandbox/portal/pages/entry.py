"""The way in and out: sign up, sign in, sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, request
from wtforms import EmailField, PasswordField

from sandbox.developers.errors import TooManyAttempts, WrongCredentials
from sandbox.developers.parsing import parsed_email
from sandbox.developers.service import SignUp
from sandbox.portal.addresses import own_path, see_other
from sandbox.portal.forms import PortalForm, form_page, parsed_by, required
from sandbox.portal.pages.person import (
    judge_new_password,
    new_password_field,
    organisation_field,
    organisation_name,
    person_name,
    person_name_field,
)
from sandbox.portal.sessions import drop_token, keep_token
from sandbox.portal.visitor import current_visitor, origin

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.services import Services

SIGNED_UP = (
    "Your account is ready: sign in with your e-mail address and password. "
    "If this address had an account before, it is unchanged and its old password holds."
)


class PersonForm(PortalForm):
    """Who one is, and how one signs in."""

    name = person_name_field()
    email = EmailField("E-mail address", [parsed_by(parsed_email)], description="You sign in with it. Nothing is sent there.")
    password = new_password_field()

    def validate_password(self, field: PasswordField) -> None:
        """Judge the password with what else was told."""
        judge_new_password(self, field, self.name.data, self.email.data)

    def as_sign_up(self, *, organisation: str | None, invitation: str | None = None) -> SignUp:
        """Return what was asked for; the form is valid."""
        return SignUp(
            email=parsed_email(self.email.data or ""),
            name=person_name(self.name.data or ""),
            password=self.password.data or "",
            organisation=organisation,
            invitation=invitation,
        )


class SignUpForm(PersonForm):
    """Who one is, and for whom one works."""

    organisation = organisation_field(
        description="The firm you build for. Your TPPs belong to it, and you can invite colleagues."
    )


class SignInForm(PortalForm):
    """Who one says one is."""

    # What is no address has no account, and is not counted as an attempt either: it may be of any length, and hold anything.
    email = EmailField("E-mail address", [parsed_by(parsed_email)])
    password = PasswordField("Password", [required("Enter your password.")])


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("entry", __name__)
    views = _Views(services)
    pages.add_url_rule("/sign-up", view_func=views.sign_up_page, methods=["GET"])
    pages.add_url_rule("/sign-up", view_func=views.sign_up, methods=["POST"])
    pages.add_url_rule("/sign-in", view_func=views.sign_in_page, methods=["GET"])
    pages.add_url_rule("/sign-in", view_func=views.sign_in, methods=["POST"])
    pages.add_url_rule("/sign-out", view_func=views.sign_out, methods=["POST"])
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._developers = services.developers

    def sign_up_page(self) -> Response:
        return see_other("/") if current_visitor() else form_page("entry/sign_up.html", SignUpForm())

    def sign_up(self) -> Response:
        form = SignUpForm.submitted()
        if not form.validate():
            return form_page("entry/sign_up.html", form)
        wanted = form.as_sign_up(organisation=organisation_name(form.organisation.data or ""))
        try:
            self._developers.sign_up(wanted, origin())
        except TooManyAttempts as error:
            return form_page("entry/sign_up.html", form, busy=error)
        flash(SIGNED_UP, "good")
        return see_other("/sign-in")

    def sign_in_page(self) -> Response:
        wanted = own_path(request.args.get("next"))
        return see_other(wanted) if current_visitor() else form_page("entry/sign_in.html", SignInForm(), next=wanted)

    def sign_in(self) -> Response:
        form, wanted = SignInForm.submitted(), own_path(request.form.get("next"))
        if not form.validate():
            return form_page("entry/sign_in.html", form, next=wanted)
        try:
            signed_in = self._developers.sign_in(form.email.data or "", form.password.data or "", origin())
        except WrongCredentials as error:
            form.refuse("email", str(error))
            return form_page("entry/sign_in.html", form, next=wanted)
        except TooManyAttempts as error:
            return form_page("entry/sign_in.html", form, busy=error, next=wanted)
        self._end_session_before()
        answer = see_other(wanted)
        keep_token(answer, signed_in.token)
        return answer

    def sign_out(self) -> Response:
        self._end_session_before()
        flash("You are signed out.", "good")
        answer = see_other("/")
        drop_token(answer)
        return answer

    def _end_session_before(self) -> None:
        visitor = current_visitor()
        if visitor is not None:
            self._developers.sign_out(visitor)
