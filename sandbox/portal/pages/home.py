"""The first page: on plain HTTP the welcome page, signed out what this is, signed in one's TPPs and next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template

from sandbox.portal.listeners import PublicListener, current_listener, require_listener
from sandbox.portal.pages.welcome import address_rows, welcome_page
from sandbox.portal.visitor import current_visitor

if TYPE_CHECKING:
    from sandbox.bootstrap import Services


def blueprint(services: Services) -> Blueprint:
    """Return the first page of either listener."""
    pages = Blueprint("home", __name__)
    pages.before_request(require_listener(PublicListener.WELCOME, PublicListener.PORTAL))

    def home() -> str:
        if current_listener() is PublicListener.WELCOME:
            return welcome_page(services)
        visitor = current_visitor()
        if visitor is None:
            return render_template("home/signed_out.html", addresses=services.addresses, rows=address_rows(services.addresses))
        tpps = services.register.of_organisation(visitor.organisation.id)
        return render_template("home/signed_in.html", addresses=services.addresses, tpps=tpps)

    pages.add_url_rule("/", view_func=home)
    return pages
