"""Which public listener a request came in by: the edge says so, and some paths exist on one listener only."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from flask import abort, request

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADER = "X-Sandbox-Listener"


class PublicListener(StrEnum):
    """The listeners that the edge forwards to the portal from (architecture §2)."""

    WELCOME = "welcome"  # plain HTTP
    PORTAL = "portal"  # HTTPS


def current_listener() -> PublicListener | None:
    """Return the listener of this request; None for another server's own call, and for any listener not ours."""
    try:
        return PublicListener(request.headers.get(_HEADER, ""))
    except ValueError:
        return None


def require_listener(*accepted: PublicListener) -> Callable[[], None]:
    """Return a `before_request` function that answers 404 on every other listener."""

    def judge() -> None:
        if current_listener() not in accepted:
            abort(404)

    return judge
