"""Which route a request takes: none means 404, known path with another method 405."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.admission.refusal import Refusal
from gateway.policies.matching import AmbiguousPath, UnknownPath, WrongMethod

if TYPE_CHECKING:
    from gateway.admission.request import Request
    from gateway.policies.model import Listener, Route


class RouteSource(Protocol):
    """Who finds routes: `RouteTable`."""

    def route_of(self, listener: Listener, method: str, path: str) -> Route:
        """Return the route; raises `UnknownPath`, `AmbiguousPath`, `WrongMethod`."""


def matched_route(request: Request, routes: RouteSource) -> Route:
    """Return the route; raises the refusal 404, 405, or 400 for a path that a server could take for another route's."""
    try:
        return routes.route_of(request.connection.listener, request.method, request.path)
    except UnknownPath as error:
        raise Refusal("route.unknown") from error
    except AmbiguousPath as error:
        detail = f"letters' case, or what stands at a segment's end: {error}"
        text = "Another resource has this path but for letters' case, or a slash, dot or space at an end: write it plainly."
        raise Refusal("http.target", detail, public_text=text) from error
    except WrongMethod as error:
        allowed = ", ".join(sorted(error.allowed))
        raise Refusal(
            "route.method",
            f"{request.method} on {error.route.template}",
            public_text=f"The resource does not have this method; it has {allowed}.",
            headers=((b"allow", allowed.encode("ascii")),),
        ) from error
