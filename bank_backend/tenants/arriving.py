"""Has what must be known of a tenant asked as each TPP's call arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Flask, request

from bank_backend.calls import calling_tenant
from bank_backend.errors import BankError
from bank_backend.tenants.arrivals import take_in_hand

if TYPE_CHECKING:
    from bank_backend.tenants.arrival_store import Arrivals
    from bank_backend.tenants.arrivals import Arrival

_PREFIXES: Final = ("/v1/", "/v2/")


def note_arrivals(app: Flask, arrivals: Arrivals) -> None:
    """Make `app` ask as each TPP's call arrives, before whatever needs the answer."""

    def arrive() -> None:
        take_in_hand(_arrival(arrivals))

    def leave(_: BaseException | None) -> None:
        take_in_hand(None)

    app.before_request(arrive)
    app.teardown_request(leave)


def _arrival(arrivals: Arrivals) -> Arrival | None:
    if request.url_rule is None or not request.path.startswith(_PREFIXES):
        return None
    try:
        tenant = calling_tenant(request)
    except BankError:
        return None  # the handler says so
    return arrivals.of(tenant)
