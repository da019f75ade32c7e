"""One's organisation: its name, its members, the invitations to it, and the way out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash

from sandbox.developers.errors import MembershipRefused
from sandbox.portal.addresses import see_other
from sandbox.portal.forms import PortalForm, form_page, posted_key
from sandbox.portal.pages.person import organisation_field, organisation_name
from sandbox.portal.visitor import visitor

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.services import Services


class OrganisationForm(PortalForm):
    """Another name."""

    organisation = organisation_field("Name")


class LeavingForm(PortalForm):
    """The organisation in which one goes on."""

    new_organisation = organisation_field("Name of your new organisation", "You go on alone in it; invite others if you like.")


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("organisation", __name__)
    views = _Views(services)
    pages.add_url_rule("/organisation", view_func=views.show, methods=["GET"])
    pages.add_url_rule("/organisation/name", view_func=views.rename, methods=["POST"])
    pages.add_url_rule("/organisation/invitations", view_func=views.invite, methods=["POST"])
    pages.add_url_rule("/organisation/invitations/withdraw", view_func=views.withdraw, methods=["POST"])
    pages.add_url_rule("/organisation/leave", view_func=views.leave, methods=["POST"])
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._organisations = services.organisations
        self._addresses = services.addresses

    def show(self) -> Response:
        return self._page()

    def rename(self) -> Response:
        asking, form = visitor(), OrganisationForm.submitted()
        if not form.validate():
            return self._page(name_form=form)
        self._organisations.rename(asking, organisation_name(form.organisation.data or ""))
        flash("The organisation has its new name. Certificates keep the name they were issued with.", "good")
        return see_other("/organisation")

    def invite(self) -> Response:
        try:
            secret = self._organisations.invite(visitor())
        except MembershipRefused as error:
            flash(str(error), "warn")
            return see_other("/organisation")
        # Shown in this very answer and kept nowhere: a reload asks whether to send the form again, and makes another one.
        return self._page(link=f"{self._addresses.portal}/invitations/{secret}")

    def withdraw(self) -> Response:
        if self._organisations.withdraw(visitor(), posted_key("invitation")):
            flash("The invitation is withdrawn: its link leads nowhere any more.", "good")
        else:
            flash("That invitation was used, withdrawn or expired already.", "warn")
        return see_other("/organisation")

    def leave(self) -> Response:
        asking, form = visitor(), LeavingForm.submitted()
        if not form.validate():
            return self._page(leaving_form=form)
        try:
            self._organisations.leave(asking, organisation_name(form.new_organisation.data or ""))
        except MembershipRefused as error:
            form.refuse("new_organisation", str(error))
            return self._page(leaving_form=form)
        flash(f"You have left {asking.organisation.name}.", "good")
        return see_other("/organisation")

    def _page(
        self,
        *,
        name_form: OrganisationForm | None = None,
        leaving_form: LeavingForm | None = None,
        link: str | None = None,
    ) -> Response:
        asking = visitor()
        return form_page(
            "organisation/organisation.html",
            name_form or leaving_form,
            name_form=name_form or OrganisationForm(organisation=asking.organisation.name),
            leaving_form=leaving_form or LeavingForm(),
            members=self._organisations.members(asking),
            invitations=self._organisations.invitations(asking),
            link=link,
        )
