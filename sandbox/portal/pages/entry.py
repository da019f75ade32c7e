"""The way in and out: sign up, sign in, sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, make_response, render_template, request
from wtforms import EmailField, PasswordField, StringField

from sandbox.developers.errors import FieldRefused, TooManyAttempts, WrongCredentials
from sandbox.developers.parsing import parsed_email, parsed_name
from sandbox.developers.passwords import LEAST_PASSWORD_CHARACTERS, require_acceptable
from sandbox.developers.service import SignUp
from sandbox.portal.addresses import own_path, see_other
from sandbox.portal.csrf import renew_forms
from sandbox.portal.forms import PortalForm, parsed_by
from sandbox.portal.sessions import drop_token, keep_token, session_token
from sandbox.portal.visitor import current_visitor, origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response as AnyResponse

    from sandbox.bootstrap import Services

_UNPROCESSABLE, _TOO_MANY = 422, 429
_SIGNED_UP = (
    "Your account is ready: sign in with your e-mail address and password. "
    "If this address had an account before, it is unchanged and its old password holds."
)


class SignUpForm(PortalForm):
    """Who one is, and for whom one works."""

    name = StringField("Your name", [parsed_by(lambda text: parsed_name(text, field="name", example="Anna Weber"))])
    organisation = StringField(
        "Organisation",
        [parsed_by(lambda text: parsed_name(text, field="organisation", example="Acme Payments GmbH"))],
        description="The firm you build for. Your TPPs belong to it, and you can invite colleagues.",
    )
    email = EmailField("E-mail address", [parsed_by(parsed_email)], description="You sign in with it. Nothing is sent there.")
    password = PasswordField(
        "Password", description=f"At least {LEAST_PASSWORD_CHARACTERS} characters: a few words in a row do well."
    )

    def validate_password(self, field: PasswordField) -> None:
        """Judge the password with what else was told."""
        told = (self.name.data or "", self.organisation.data or "", self.email.data or "")
        parsed_by(lambda text: require_acceptable(text, field="password", told=told))(self, field)

    def as_sign_up(self) -> SignUp:
        """Return what was asked for; the form is valid."""
        return SignUp(
            email=parsed_email(self.email.data or ""),
            name=parsed_name(self.name.data or "", field="name", example=""),
            password=self.password.data or "",
            organisation=parsed_name(self.organisation.data or "", field="organisation", example=""),
        )


class SignInForm(PortalForm):
    """Who one says one is."""

    email = EmailField("E-mail address")
    password = PasswordField("Password")

    def validate_email(self, field: EmailField) -> None:
        """Ask for it."""
        parsed_by(_require_text("email", "Enter your e-mail address."))(self, field)

    def validate_password(self, field: PasswordField) -> None:
        """Ask for it."""
        parsed_by(_require_text("password", "Enter your password."))(self, field)


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

    def sign_up_page(self) -> AnyResponse:
        return see_other("/") if current_visitor() else _page("sign_up", SignUpForm())

    def sign_up(self) -> AnyResponse:
        form = SignUpForm.submitted()
        if not form.validate():
            return _page("sign_up", form, _UNPROCESSABLE)
        try:
            self._developers.sign_up(form.as_sign_up(), origin())
        except TooManyAttempts as error:
            return _page("sign_up", form, _TOO_MANY, busy=error)
        flash(_SIGNED_UP, "good")
        return see_other("/sign-in")

    def sign_in_page(self) -> AnyResponse:
        wanted = own_path(request.args.get("next"))
        return see_other(wanted) if current_visitor() else _page("sign_in", SignInForm(), next=wanted)

    def sign_in(self) -> AnyResponse:
        form, wanted = SignInForm.submitted(), own_path(request.form.get("next"))
        if not form.validate():
            return _page("sign_in", form, _UNPROCESSABLE, next=wanted)
        try:
            signed_in = self._developers.sign_in(form.email.data or "", form.password.data or "", origin())
        except WrongCredentials as error:
            form.refuse("email", str(error))
            return _page("sign_in", form, _UNPROCESSABLE, next=wanted)
        except TooManyAttempts as error:
            return _page("sign_in", form, _TOO_MANY, busy=error, next=wanted)
        self._end_session_before()
        renew_forms()
        answer = see_other(wanted)
        keep_token(answer, signed_in.token)
        return answer

    def sign_out(self) -> AnyResponse:
        self._end_session_before()
        renew_forms()
        flash("You are signed out.", "good")
        answer = see_other("/")
        drop_token(answer)
        return answer

    def _end_session_before(self) -> None:
        visitor = current_visitor() if session_token() else None
        if visitor is not None:
            self._developers.sign_out(visitor)


def _require_text(field: str, wanted: str) -> Callable[[str], None]:
    def require(text: str) -> None:
        if not text.strip():
            raise FieldRefused(field, wanted)

    return require


def _page(
    name: str, form: PortalForm, status: int = 200, *, busy: TooManyAttempts | None = None, **context: object
) -> Response:
    answer = make_response(render_template(f"entry/{name}.html", form=form, busy=busy, **context), status)
    if busy is not None:
        answer.headers["Retry-After"] = str(busy.retry_after_seconds)
    return answer
