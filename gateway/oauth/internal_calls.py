"""What the edge asks for itself, and never passes on from a listener (docs/architecture.md §3.1)."""

from __future__ import annotations

from typing import Final

from flask import abort, request

from chassis.serving.callers import caller_of
from gateway.oauth.arrival import listener_of

_EDGE: Final = "gateway"


def require_edge_itself() -> None:
    """End with 404 what anybody else asks, and what came by a listener."""
    if caller_of(request.environ) != _EDGE or listener_of(request.environ) is not None:
        abort(404)
