"""The application object that gunicorn serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.logs import configure_logging
from chassis.serving.callers import AcceptedCallers
from tpp_client.web.app import create_app
from tpp_client.web.bootstrap import build_services
from tpp_client.web.config import load_settings

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def demo() -> WSGIApplication:
    """Return the demo app, open to the edge, and to the portal's question whether it is well."""
    settings = load_settings()
    configure_logging("demo", settings.log_file("demo"))
    return AcceptedCallers(create_app(build_services(settings)), names=frozenset({"gateway", "portal"}))
