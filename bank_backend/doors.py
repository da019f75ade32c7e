"""Which of the accepted callers may use which addresses (docs/architecture.md §3).

The identity headers of §3.1 are worth as much as the caller that sets them: only the gateway may, on requests it forwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Flask, request

from bank_backend.errors import CallerNotAccepted, ResourceUnknown
from chassis.serving.callers import caller_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

GATEWAY, PORTAL = "gateway", "portal"
_LISTENER = "HTTP_X_SANDBOX_LISTENER"


@dataclass(frozen=True, slots=True)
class Door:
    """Addresses below `prefix`: `caller` may use them, for requests of the public `listener` (None: for its own)."""

    prefix: str
    caller: str
    listener: str | None


_DOORS: Final = (
    Door("/v1/", GATEWAY, "edge"),
    Door("/v2/", GATEWAY, "edge"),
    Door("/sandbox/", GATEWAY, "edge"),
    Door("/psu/", GATEWAY, "front"),
    Door("/openapi.json", GATEWAY, "front"),
    Door("/internal/tenants/", PORTAL, None),
    Door("/internal/interactions", GATEWAY, None),
    Door("/internal/grants", GATEWAY, None),
    Door("/internal/backchannel", GATEWAY, None),
)


def guard_doors(app: Flask) -> None:
    """Make `app` answer 403 to a caller at a door that isn't its own; an address without a door does not exist."""
    app.before_request(lambda: require_own_door(request.path, request.environ))


def require_own_door(path: str, environ: WSGIEnvironment) -> None:
    """Raise `CallerNotAccepted` at a door that isn't the caller's, `ResourceUnknown` where there is none."""
    if path == "/health":
        return
    door = next((door for door in _DOORS if path.startswith(door.prefix)), None)
    if door is None:
        raise ResourceUnknown(f"there is nothing at {path[:80]}")
    caller = caller_of(environ)
    if caller != door.caller or not _came_by(environ, door.listener):
        raise CallerNotAccepted(f"{door.prefix} answers to the {door.caller} only, and {caller} asked in another's name")


def _came_by(environ: WSGIEnvironment, listener: str | None) -> bool:
    """Tell whether a request that was forwarded came in where it should, and that one of the caller's own was not forwarded."""
    return environ.get(_LISTENER, listener) == listener
