"""The gateway's WSGI applications, as gunicorn is told to make them; each lets in its own callers only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.logs import configure_logging
from chassis.serving.callers import AcceptedCallers
from gateway.bootstrap import admin_app
from gateway.config import load_settings
from gateway.oauth.bootstrap import authorization_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def authorization() -> WSGIApplication:
    """Return the authorization server, for the edge."""
    settings = load_settings()
    configure_logging("authorization", settings.log_file("authorization"))
    return AcceptedCallers(authorization_app(settings), names=frozenset({"gateway"}))


def admin() -> WSGIApplication:
    """Return the control API, for the portal and for operators."""
    settings = load_settings()
    configure_logging("admin", settings.log_file("admin"))
    return AcceptedCallers(admin_app(settings), names=frozenset({"portal", "operator"}))
