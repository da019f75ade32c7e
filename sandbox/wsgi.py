"""The application object that gunicorn serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.callers import AcceptedCallers
from chassis.logs import configure_logging
from sandbox.bootstrap import build_services
from sandbox.config import load_settings
from sandbox.portal.app import create_app
from sandbox.portal.housekeeping import housekeeping, run_in_background

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def portal() -> WSGIApplication:
    """Return the portal, open to the edge and to this side's own calls, and start its housekeeping."""
    settings = load_settings()
    configure_logging("portal", settings.home.log / "portal.jsonl")
    services = build_services(settings)
    run_in_background(housekeeping(deliver=services.trust.deliver_changes, renew=services.authority.renew_due))
    return AcceptedCallers(create_app(services), names=frozenset({"gateway", "portal"}))
