"""Self-signed certificates that no client has registered: the authorization server hears that one came (RFC 8705 §2.2).

It may stand at a client's `jwks_uri` since a moment ago. Whoever it is has proved no more than that it holds the key, so
that a worker says so every few seconds at most, and names nobody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from gateway.edge.authorization_calls import answer_of
from gateway.policies.model import SelfSigned
from gateway.register.key_certificates import is_self_signed
from gateway.trust.leaf_checks import parsed_leaf
from gateway.trust.verdict import Distrust, Distrusted
from gateway.upstreams.faults import UpstreamFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.admission.admit import Admission
    from gateway.admission.refusal import Refusal
    from gateway.admission.request import Leaf
    from gateway.audit.exchange import Exchange
    from gateway.edge.upstream.upstreams import Upstreams

PATH: Final = b"/internal/unknown-certificates"
EVERY_SECONDS: Final = 2.0


class UnknownCertificates:
    """One worker's; `monotonic` tells seconds."""

    def __init__(self, upstreams: Upstreams, *, monotonic: Callable[[], float]) -> None:
        """Say nothing yet."""
        self._upstreams = upstreams
        self._monotonic = monotonic
        self._not_before = float("-inf")
        self._telling: asyncio.Task[None] | None = None

    def note(self, exchange: Exchange, refusal: Refusal) -> None:
        """Tell of the certificate in the background, where the request was refused because no client has registered it."""
        leaf, now = exchange.request.connection.leaf, self._monotonic()
        if leaf is None or now < self._not_before or not _is_unregistered(exchange.admission, refusal):
            return
        if _is_self_signed(leaf):
            self._not_before = now + EVERY_SECONDS
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        try:
            await answer_of(self._upstreams, PATH, b"{}")
        except (UpstreamFault, OSError, TimeoutError) as error:
            get_logger().warning("edge.unknown_certificate_untold", error=str(error)[:300])


def _is_unregistered(admission: Admission, refusal: Refusal) -> bool:
    route = admission.route
    return route is not None and route.self_signed is SelfSigned.REGISTERED and refusal.reason == Distrust.UNTRUSTED.value


def _is_self_signed(leaf: Leaf) -> bool:
    try:
        return is_self_signed(parsed_leaf(leaf.der).x509)
    except Distrusted:
        return False
