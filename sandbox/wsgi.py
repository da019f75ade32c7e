"""The application object that gunicorn serves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chassis.logs import configure_logging
from chassis.serving.callers import AcceptedCallers
from sandbox.bootstrap import build_services
from sandbox.config import load_settings
from sandbox.containers.handout import hand_out
from sandbox.portal.app import create_app
from sandbox.portal.housekeeping import demo_app_chore, housekeeping, run_in_background
from sandbox.tpps.demo_app import ensure_demo_app

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from sandbox.services import Services


def portal() -> WSGIApplication:
    """Return the portal, open to the edge and to this side's own calls, and start its housekeeping."""
    settings = load_settings()
    configure_logging("portal", settings.log_file("portal"))
    services = build_services(settings)
    if settings.service_homes is not None:
        # Apart from the housekeeping: it calls the bank, and a revocation must not wait for that.
        run_in_background([demo_app_chore(partial(_keep_demo_app, services, settings.service_homes))])
    run_in_background(
        housekeeping(deliver=services.trust.deliver_changes, renew=partial(_renew, services), prune=partial(_prune, services))
    )
    return AcceptedCallers(create_app(services), names=frozenset({"gateway", "portal"}))


def _renew(services: Services) -> None:
    """Renew what is due, and give each server that runs apart what is its own."""
    services.authority.renew_due()
    if services.settings.service_homes is not None:
        hand_out(services.settings.home, services.settings.service_homes)


def _keep_demo_app(services: Services, homes: Path) -> None:
    """Keep the demo app registered, and give it its files; `sandbox up` does so for a platform on one machine."""
    ensure_demo_app(services)
    hand_out(services.settings.home, homes)


def _prune(services: Services) -> None:
    """Drop sessions, counted attempts and invitations that are over."""
    services.developers.prune()
    services.organisations.prune()
