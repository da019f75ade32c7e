"""One's own account: name, password, and the browsers in which one is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash
from wtforms import PasswordField

from sandbox.developers.errors import FieldRefused, TooManyAttempts
from sandbox.portal.addresses import see_other
from sandbox.portal.forms import PortalForm, form_page, posted_key, required
from sandbox.portal.pages.person import judge_new_password, new_password_field, person_name, person_name_field
from sandbox.portal.visitor import origin, visitor

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.services import Services


class NameForm(PortalForm):
    """Another name."""

    name = person_name_field()


class PasswordForm(PortalForm):
    """Another password, for whoever knows the one before."""

    current = PasswordField("Current password", [required("Enter your current password.")])
    password = new_password_field("New password")

    def validate_password(self, field: PasswordField) -> None:
        """Judge the new one with what is known of the person."""
        known = visitor().developer
        judge_new_password(self, field, known.name, known.email)


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("account", __name__)
    views = _Views(services)
    pages.add_url_rule("/account", view_func=views.show, methods=["GET"])
    pages.add_url_rule("/account/name", view_func=views.rename, methods=["POST"])
    pages.add_url_rule("/account/password", view_func=views.change_password, methods=["POST"])
    pages.add_url_rule("/account/sessions/end", view_func=views.end_session, methods=["POST"])
    pages.add_url_rule("/account/sessions/end-others", view_func=views.end_others, methods=["POST"])
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._developers = services.developers

    def show(self) -> Response:
        return self._page()

    def rename(self) -> Response:
        asking, form = visitor(), NameForm.submitted()
        if not form.validate():
            return self._page(name_form=form)
        self._developers.rename(asking, person_name(form.name.data or ""))
        flash("Your name is changed.", "good")
        return see_other("/account")

    def change_password(self) -> Response:
        asking, form = visitor(), PasswordForm.submitted()
        if not form.validate():
            return self._page(password_form=form)
        try:
            self._developers.change_password(asking, form.current.data or "", form.password.data or "", origin())
        except FieldRefused as error:
            form.refuse(error.field, error.text)
            return self._page(password_form=form)
        except TooManyAttempts as error:
            return self._page(password_form=form, busy=error)
        flash("Your password is changed. You are signed out everywhere else.", "good")
        return see_other("/account")

    def end_session(self) -> Response:
        asking = visitor()
        if self._developers.end_session(asking, posted_key("session")):
            flash("That browser is signed out.", "good")
        else:
            flash("That browser was signed out already.", "warn")
        return see_other("/account")

    def end_others(self) -> Response:
        ended = self._developers.end_other_sessions(visitor())
        flash(f"You are signed out of {ended} other {'browser' if ended == 1 else 'browsers'}.", "good")
        return see_other("/account")

    def _page(
        self,
        *,
        name_form: NameForm | None = None,
        password_form: PasswordForm | None = None,
        busy: TooManyAttempts | None = None,
    ) -> Response:
        asking = visitor()
        return form_page(
            "account/account.html",
            name_form or password_form,
            busy=busy,
            name_form=name_form or NameForm(name=asking.developer.name),
            password_form=password_form or PasswordForm(),
            sessions=self._developers.sessions(asking),
        )
