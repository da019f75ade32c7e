"""Who may use an internal address: a named service, calling by itself and not on a request that came through the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from bank_backend.errors import CallerNotAccepted
from chassis.callers import caller_of

if TYPE_CHECKING:
    from flask import Blueprint


def accept_only(routes: Blueprint, caller: str) -> None:
    """Make every route of the blueprint answer to `caller` alone; others get `CallerNotAccepted` (403)."""

    @routes.before_request
    def require_caller() -> None:
        # The edge presents the gateway's certificate too: what it forwards says which listener it came in by.
        if caller_of(request.environ) != caller or "X-Sandbox-Listener" in request.headers:
            raise CallerNotAccepted(f"this address answers to the {caller} alone, and to nothing it forwards")
