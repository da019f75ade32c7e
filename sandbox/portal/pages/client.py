"""A TPP's OAuth client in the portal: what is registered, how to change it, how to change its keys."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from flask import Blueprint, flash, make_response, render_template

from sandbox.portal.addresses import see_other
from sandbox.portal.pages.client_forms import ClientForm
from sandbox.portal.pages.paths import tpp_path
from sandbox.portal.visitor import owned_tpp
from sandbox.tpps.client_data import client_data
from sandbox.tpps.errors import ClientRefused, RegistrationInterrupted
from sandbox.tpps.introduction import STEPS
from sandbox.tpps.kit import client_document
from sandbox.tpps.model import TppStatus
from sandbox.tpps.openssl import KeyCommands

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.services import Services
    from sandbox.tpps.model import Tpp


def blueprint(services: Services) -> Blueprint:
    """Return the page."""
    pages = Blueprint("client", __name__, url_prefix="/tpps/<number>/client")
    views = _Views(services)
    pages.add_url_rule("", view_func=views.page, methods=["GET"])
    pages.add_url_rule("", view_func=views.change, methods=["POST"])
    pages.add_url_rule("/client.json", view_func=views.document, methods=["GET"])
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services

    def page(self, number: str) -> Response:
        tpp = owned_tpp(self._services, number)
        return _page(tpp, ClientForm.of(tpp))

    def document(self, number: str) -> Response:
        """Give what a TPP program needs to know, as it is registered now."""
        tpp = owned_tpp(self._services, number)
        document = client_document(client_data(tpp, self._services.addresses), cafile="../../trust.pem", access_token=None)
        answer = make_response(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        answer.mimetype = "application/json"
        answer.headers["Content-Disposition"] = 'attachment; filename="client.json"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def change(self, number: str) -> Response:
        tpp, form = owned_tpp(self._services, number), ClientForm.submitted()
        amendment = form.amendment(tpp.client_metadata)
        if amendment is None:
            return _page(tpp, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        if tpp.status is TppStatus.REGISTERING:
            return see_other(tpp_path(tpp))  # whose page says to continue first
        try:
            self._services.register.ownership.amend_client(tpp, amendment)
        except ClientRefused as refusal:
            form.refuse_client(refusal.faults)
            return _page(tpp, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        except RegistrationInterrupted as interruption:
            return _page(tpp, form, HTTPStatus.SERVICE_UNAVAILABLE, interruption=interruption, steps=STEPS)
        flash("Changed. The gateway knows it already. Programs that read client.json need the new one.", "good")
        return see_other(tpp_path(tpp, "client"))


def _page(tpp: Tpp, form: ClientForm, status: HTTPStatus = HTTPStatus.OK, **told: object) -> Response:
    page = render_template("tpps/client.html", tpp=tpp, form=form, key_commands=KeyCommands(), **told)
    return make_response(page, status)
