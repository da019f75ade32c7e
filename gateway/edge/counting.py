"""The last steps before a request goes on: who subscribes, and what it spends of which limits; settled when it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.admission.refusal import Refusal
from gateway.limits.accounts import StoreUnreachable
from gateway.limits.addresses import counted_address
from gateway.limits.headers import Telling, refused_by, retry_after
from gateway.limits.limiter import LimitReached, Receipt
from gateway.limits.meter import Meter, spend_ample
from gateway.limits.model import LimitKey, Quota
from gateway.plans.subscription import entitled_subscriber
from gateway.plans.tokens import Bearing
from gateway.policies.model import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.admission.admit import Admission
    from gateway.admission.request import Connection
    from gateway.audit.exchange import Exchange
    from gateway.edge.client_head import ClientHead
    from gateway.limits.brute_force import BruteForceGuard
    from gateway.limits.limiter import Limiter
    from gateway.plans.table import Entitled, Plans, PlanTable

_REMEMBERED_SECONDS: Final = 1.0
_FIRST_ERROR: Final = 400
_FIRST_SERVER_ERROR: Final = 500
_UNAUTHENTICATED: Final = 401


class Standing:
    """What the last request of a connection counted to: the same for the next as long as the same was established.

    Not where tokens are asked for, which come with each request; and for a second only, since what is in force ends in time.
    """

    __slots__ = ("_route", "_table", "_token", "_trusted", "_until", "entitled", "meters", "telling")

    def __init__(self, admission: Admission, table: PlanTable, until: float, counted: Counted) -> None:
        """Keep it until then."""
        self._route, self._trusted, self._token = admission.route, admission.trusted, admission.token
        self._table = table
        self._until = until
        self.entitled, self.meters, self.telling = counted

    def serves(self, admission: Admission, table: PlanTable, now: float) -> bool:
        """Whether the very same things were established."""
        return (
            self._route is admission.route
            and self._trusted is admission.trusted
            and self._token is admission.token
            and self._table is table
            and now < self._until
        )


class Counted(NamedTuple):
    """Who calls, what the request counts to, and what it is told of that: None where it counts to nothing."""

    entitled: Entitled | None
    meters: Sequence[Meter]
    telling: Telling | None


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
        now, standing = exchange.arrived_at, exchange.request.connection.memory.get(Standing)
        if isinstance(standing, Standing) and standing.serves(exchange.admission, self._plans.table, now):
            # A meter that was parted with has nothing to spend: the other way then finds the one in its place.
            units = spend_ample(standing.meters, now)
            if units is not None:
                exchange.entitled = standing.entitled
                self._note(exchange, Receipt(standing.meters, units), standing.telling)
                return True
        return self._spend_with_a_look(exchange, head)

    def _spend_with_a_look(self, exchange: Exchange, head: ClientHead) -> bool:
        _, meters, telling = self._counted(exchange, head)
        try:
            receipt = self._limiter.try_spend(meters, exchange.arrived_at)
        except LimitReached as reached:
            raise self._refusal(exchange, reached) from reached
        if receipt is None:
            return False
        self._note(exchange, receipt, telling)
        return True

    async def spend(self, exchange: Exchange, head: ClientHead) -> None:
        """Spend it, waiting where it has to be leased first; raises `Refusal`."""
        _, meters, telling = self._counted(exchange, head)
        if telling is None:
            return
        try:
            receipt = await self._limiter.spend(meters)
        except LimitReached as reached:
            raise self._refusal(exchange, reached) from reached
        except StoreUnreachable as error:
            raise Refusal("limit.unavailable", str(error), headers=((b"retry-after", b"1"),)) from error
        self._note(exchange, receipt, telling)

    def foresee(self, exchange: Exchange, head: ClientHead) -> None:
        """Note what a request would be counted to, and spend nothing; raises the `Refusal` that it would meet now."""
        _, meters, telling = self._counted(exchange, head)
        now = self._clock()
        for meter in meters:
            if meter.is_empty(now) and not meter.limit.may_be_exceeded:
                raise self._refusal(exchange, LimitReached(meter, meters))
        if telling is not None:
            _, exchange.limit = telling.at(now)

    def settle(self, exchange: Exchange) -> None:
        """Give back what an ended exchange should not cost: quotas where we failed, all where it was not authenticated."""
        if exchange.status < _FIRST_ERROR:
            return
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

    def _counted(self, exchange: Exchange, head: ClientHead) -> Counted:
        """Return what the request counts to, and note who calls; raises `Refusal`."""
        counted = self._counted_anew(exchange, head)
        route = exchange.admission.route
        if route is not None and route.plan.location is None:
            until = exchange.arrived_at + _REMEMBERED_SECONDS
            standing = Standing(exchange.admission, self._plans.table, until, counted)
            exchange.request.connection.memory[Standing] = standing
        return counted

    def _counted_anew(self, exchange: Exchange, head: ClientHead) -> Counted:
        request, admission = exchange.request, exchange.admission
        route = admission.route
        if route is None:
            return Counted(None, (), None)
        bearing = Bearing(request.path, request.query, head.host or b"", head.authorization, head.lines)
        entitled = entitled_subscriber(bearing, route, admission.certificate, self._plans.table, exchange.arrived_at)
        exchange.entitled = entitled
        meters = [self._limiter.meter(limit, self._value(limit.key, exchange)) for limit in route.limits]
        if entitled is not None:
            meters += [self._limiter.meter(limit, entitled.counted_as) for limit in entitled.limits]
        return Counted(entitled, meters, Telling(meters) if meters else None)

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

    def _note(self, exchange: Exchange, receipt: Receipt, telling: Telling | None) -> None:
        """Note what was spent, and write what the client and the audit record are told."""
        if telling is not None:
            exchange.receipt = receipt
            exchange.limit_headers, exchange.limit = telling.at(exchange.arrived_at)

    def _refusal(self, exchange: Exchange, reached: LimitReached) -> Refusal:
        exchange.limit_headers, _ = Telling(reached.meters).at(exchange.arrived_at)
        exchange.limit = refused_by(reached.meter)
        limit = reached.meter.limit
        reason = "limit.quota" if isinstance(limit.allowance, Quota) else "limit.rate"
        return Refusal(reason, str(reached), headers=(retry_after(reached.meter, self._clock()),))
