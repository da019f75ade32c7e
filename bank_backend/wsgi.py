"""The bank's WSGI application, as gunicorn is told to make it; it lets in the gateway and the portal only."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from bank_backend.app import create_app
from bank_backend.bootstrap import create_services
from bank_backend.config import load_settings
from bank_backend.database import open_database
from bank_backend.notifications.wiring import create_delivery
from bank_backend.schedule.runner import Runner
from chassis.logs import configure_logging
from chassis.serving.callers import AcceptedCallers
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def bank() -> WSGIApplication:
    """Return the bank, for the edge, the authorization server and the portal; what is due is done beside it.

    gunicorn calls this in each worker, after it was forked: threads don't survive a fork.
    """
    settings = load_settings()
    configure_logging("bank", settings.log_file("bank"))
    clock = SystemClock()
    services = create_services(settings, open_database(settings), clock)
    delivery = create_delivery(settings, services.database, real=clock)
    for run_pass in (services.scheduler.run_pass, delivery.run_pass):
        runner = Runner(run_pass)
        runner.start()
        atexit.register(runner.stop)
    return AcceptedCallers(create_app(services).wsgi_app, names=frozenset({"gateway", "portal"}))
