"""The connection to the bank: start page, connect, the bank's answer, what is granted, disconnect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from tpp_client.web.bank import CONSENT_DAYS
from tpp_client.web.visitor import visitor
from tpp_client.web.visits.model import Purpose

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tpp_client.web.bootstrap import Services
    from tpp_client.web.visits.model import Attempt


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("connection", __name__)
    views = _Pages(services)
    pages.add_url_rule("/", "start", views.start)
    pages.add_url_rule("/connect", "connect", views.connect, methods=["POST"])
    pages.add_url_rule("/callback", "callback", views.callback)
    pages.add_url_rule("/connection", "details", views.details)
    pages.add_url_rule("/disconnect", "disconnect", views.disconnect, methods=["POST"])
    pages.add_url_rule("/disconnected", "disconnected", views.disconnected)
    return pages


class _Pages:
    def __init__(self, services: Services) -> None:
        self._services = services

    def start(self) -> str:
        return render_template("start.html", days=CONSENT_DAYS)

    def connect(self) -> Response:
        asking = visitor()
        consent_id = asking.bank.ask_for_consent(self._services.clock.now().date())
        return redirect(asking.begin(Purpose.ACCOUNTS, consent_id), 303)

    def callback(self) -> Response:
        query = request.query_string.decode("ascii", errors="replace")
        attempt = visitor().take_answer(f"{self._services.settings.redirect_uri}?{query}")
        return redirect(_after(attempt), 303)

    def details(self) -> str | Response:
        connection = visitor().visit.connection
        if connection is None:
            return redirect(url_for("connection.start"), 303)
        today = self._services.clock.now().date().isoformat()
        consent = visitor().bank.consent(connection.consent_id)
        return render_template(
            "connection.html", connection=connection, consent=consent, readings=connection.readings_on(today)
        )

    def disconnect(self) -> Response:
        visitor().disconnect()
        return redirect(url_for("connection.disconnected"), 303)

    def disconnected(self) -> str:
        return render_template("disconnected.html")


def _after(attempt: Attempt) -> str:
    if attempt.purpose is Purpose.PAYMENT:
        return url_for("payments.payment", payment_id=attempt.resource)
    return url_for("accounts.overview")
