"""The client's address, by the IP rules of a route: denied goes before allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.admission.refusal import Refusal

if TYPE_CHECKING:
    from gateway.admission.request import Request
    from gateway.policies.model import Route


def require_address(request: Request, route: Route) -> None:
    """Raise 403 where the route is not for the client's address."""
    if route.ip_rules is None:
        return
    address = request.connection.address
    if not route.ip_rules.allows(address):
        text = f"Requests from the address {address} are not taken here."
        raise Refusal("net.ip_denied", f"from {address}", public_text=text)
