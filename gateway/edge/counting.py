"""The last steps before a request goes on: who subscribes, and what it spends of which limits; settled when it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.admission.refusal import Refusal
from gateway.limits.accounts import StoreUnreachable
from gateway.limits.addresses import counted_address
from gateway.limits.headers import limit_headers, limit_record, retry_after
from gateway.limits.limiter import LimitReached, Receipt
from gateway.limits.model import LimitKey, Quota
from gateway.plans.subscription import entitled_subscriber
from gateway.plans.tokens import Bearing
from gateway.policies.model import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.admission.request import Connection
    from gateway.admission.tokens import AccessToken
    from gateway.audit.record import Exchange
    from gateway.edge.client_head import ClientHead
    from gateway.limits.brute_force import BruteForceGuard
    from gateway.limits.limiter import Limiter
    from gateway.limits.meter import Meter
    from gateway.plans.table import Entitled, Plans, PlanTable
    from gateway.policies.model import Route
    from gateway.trust.judgement import Trusted

_REMEMBERED_SECONDS: Final = 1.0
_FIRST_SERVER_ERROR: Final = 500
_UNAUTHENTICATED: Final = 401


@dataclass(frozen=True, slots=True)
class Counted:
    """What the last request of a connection counted to: the same for the next as long as the same was established.

    Not where tokens are asked for, which come with each request; and for a second only, since what is in force ends in time.
    """

    route: Route
    trusted: Trusted | None
    token: AccessToken | None
    table: PlanTable
    until: float
    entitled: Entitled | None
    meters: Sequence[Meter]

    def serves(self, exchange: Exchange, table: PlanTable) -> bool:
        """Whether the very same things were established, and every meter still counts."""
        admission = exchange.admission
        is_same = self.route is admission.route and self.trusted is admission.trusted and self.token is admission.token
        if not is_same or self.table is not table or exchange.arrived_at >= self.until:
            return False
        return not any([meter.is_parted for meter in self.meters])  # noqa: C419 - a list of two is quicker than a generator


class Counting:
    """What one worker counts: requests to limits, failed attempts to their addresses. `clock` tells epoch seconds."""

    def __init__(self, plans: Plans, limiter: Limiter, guard: BruteForceGuard, clock: Callable[[], float]) -> None:
        """Count nothing yet."""
        self.redactions = plans.redactions
        self._plans = plans
        self._limiter = limiter
        self._guard = guard
        self._clock = clock

    def require_unblocked(self, connection: Connection) -> None:
        """Raise 429 for an address that has failed too often where TPPs authenticate."""
        if connection.listener.asks_for_certificate:
            self._guard.require_unblocked(connection.address)

    async def judged(self, exchange: Exchange, refusal: Refusal) -> Refusal:
        """Count a refusal, if it is one of a failed attempt; returns what to answer."""
        connection = exchange.request.connection
        if not connection.listener.asks_for_certificate:
            return refusal
        return await self._guard.judged(refusal, connection.address)

    def spend_at_once(self, exchange: Exchange, head: ClientHead) -> bool:
        """Spend what an admitted request costs; False where it would have to wait, and nothing was spent. Raises `Refusal`."""
        meters = self._meters(exchange, head)
        if not meters:
            return True
        try:
            receipt = self._limiter.try_spend(meters, exchange.arrived_at)
        except LimitReached as reached:
            raise self._refusal(exchange, reached) from reached
        if receipt is None:
            return False
        self._note(exchange, receipt)
        return True

    async def spend(self, exchange: Exchange, head: ClientHead) -> None:
        """Spend it, waiting where it has to be leased first; raises `Refusal`."""
        meters = self._meters(exchange, head)
        if not meters:
            return
        try:
            receipt = await self._limiter.spend(meters)
        except LimitReached as reached:
            raise self._refusal(exchange, reached) from reached
        except StoreUnreachable as error:
            raise Refusal("limit.unavailable", str(error), headers=((b"retry-after", b"1"),)) from error
        self._note(exchange, receipt)

    def foresee(self, exchange: Exchange, head: ClientHead) -> None:
        """Note what a request would be counted to, and spend nothing; raises the `Refusal` that it would meet now."""
        meters, now = self._meters(exchange, head), self._clock()
        for meter in meters:
            if meter.is_empty(now) and not meter.limit.may_be_exceeded:
                raise self._refusal(exchange, LimitReached(meter, Receipt([(each, None) for each in meters])))
        if meters:
            exchange.limit = limit_record(meters, [meter.remaining(now) for meter in meters])

    def settle(self, exchange: Exchange) -> None:
        """Give back what an ended exchange should not cost: quotas where we failed, all where it was not authenticated."""
        route = exchange.admission.route
        is_unauthenticated = exchange.status == _UNAUTHENTICATED
        if is_unauthenticated and exchange.told is not None and route is not None and route.upstream == Upstream.AUTHORIZATION:
            self._guard.note(exchange.request.connection.address)
        receipt = exchange.receipt
        if receipt is None:
            return
        exchange.receipt = None
        if exchange.status >= _FIRST_SERVER_ERROR:
            self._limiter.give_back(receipt, quotas_only=True)
        elif is_unauthenticated and exchange.replied_at is None:
            self._limiter.give_back(receipt, quotas_only=False)  # its signature, the one check after this step

    def _meters(self, exchange: Exchange, head: ClientHead) -> Sequence[Meter]:
        """Return what the request counts to, and note who calls; raises `Refusal`."""
        memory = exchange.request.connection.memory
        known = memory.get(Counted)
        if isinstance(known, Counted) and known.serves(exchange, self._plans.table):
            exchange.entitled = known.entitled
            return known.meters
        meters = self._meters_anew(exchange, head)
        admission = exchange.admission
        if admission.route is not None and admission.route.plan.location is None:
            until = exchange.arrived_at + _REMEMBERED_SECONDS
            memory[Counted] = Counted(
                admission.route, admission.trusted, admission.token, self._plans.table, until, exchange.entitled, meters
            )
        return meters

    def _meters_anew(self, exchange: Exchange, head: ClientHead) -> list[Meter]:
        request, admission = exchange.request, exchange.admission
        route = admission.route
        if route is None:
            return []
        bearing = Bearing(request.path, request.query, head.host or b"", head.authorization, head.lines)
        entitled = entitled_subscriber(bearing, route, admission.certificate, self._plans.table, exchange.arrived_at)
        exchange.entitled = entitled
        meters = [self._limiter.meter(limit, self._value(limit.key, exchange)) for limit in route.limits]
        if entitled is not None:
            meters += [self._limiter.meter(limit, entitled.counted_as) for limit in entitled.limits]
        return meters

    def _value(self, key: LimitKey, exchange: Exchange) -> str:
        """Return whose counter it is; a request without what the key asks for is counted by its address."""
        request, admission = exchange.request, exchange.admission
        if key is LimitKey.TOTAL:
            return ""
        if key is LimitKey.CERTIFICATE and request.connection.leaf is not None and admission.certificate is not None:
            return request.connection.leaf.sha256
        if key is LimitKey.CLIENT and admission.token is not None:
            return admission.token.client_id
        if key is LimitKey.SUBSCRIBER and exchange.entitled is not None:
            return exchange.entitled.counted_as
        return f"address {counted_address(request.connection.address)}"

    def _note(self, exchange: Exchange, receipt: Receipt) -> None:
        exchange.receipt = receipt
        self._tell(exchange, receipt)

    def _tell(self, exchange: Exchange, receipt: Receipt) -> None:
        """Write what the client and the audit record are told: all limits, and the one that is nearest to its end."""
        now = exchange.arrived_at
        meters = [meter for meter, _ in receipt.spent]
        remaining = [meter.remaining(now) for meter in meters]
        exchange.limit_headers = limit_headers(meters, remaining, now)
        exchange.limit = limit_record(meters, remaining)

    def _refusal(self, exchange: Exchange, reached: LimitReached) -> Refusal:
        self._tell(exchange, reached.receipt)
        limit = reached.meter.limit
        exchange.limit = limit_record([reached.meter], [0])
        reason = "limit.quota" if isinstance(limit.allowance, Quota) else "limit.rate"
        return Refusal(reason, str(reached), headers=(retry_after(reached.meter, self._clock()),))
