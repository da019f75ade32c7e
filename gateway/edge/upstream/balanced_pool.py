"""The connections of one worker to an upstream of several targets: a pool for each, `Balance` says whose turn it is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from gateway.upstreams.faults import UpstreamFault
from gateway.upstreams.health import Balance, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.edge.upstream.connection import UpstreamConnection
    from gateway.edge.upstream.pool import UpstreamPool
    from gateway.upstreams.health import Condition
    from gateway.upstreams.model import Upstream

# Too much at once is no fault of a target, and what another one could do it may do.
_BUSY: Final = "upstream.busy"
_WITH_STALE: Final = 2  # a kept connection that the server has just closed is no failure: tried once more in any case


class BalancedPool:
    """A `Pool` over those of the targets."""

    def __init__(self, upstream: Upstream, pools: Sequence[UpstreamPool], clock: Callable[[], float]) -> None:
        """Connect to nothing yet."""
        self.service, self.passes_identity, self.host = upstream.service, upstream.passes_identity, upstream.host
        self.has_others = upstream.retries > 0
        self.attempts = max(_WITH_STALE, upstream.retries + 1)
        self.balance: Balance[UpstreamPool] = Balance(upstream.name, pools, upstream.balancing, upstream.health, clock)
        self._by_target = {each.one.target: each for each in self.balance.standings}

    def idle_connection(self) -> UpstreamConnection | None:
        """Return a free connection to the target whose turn it is."""
        chosen = self.balance.order()[0]
        connection = chosen.one.idle_connection()
        if connection is not None:
            self.balance.given_to(chosen)
        return connection

    async def connection(self, *, after: str = "") -> UpstreamConnection:
        """Return a connection to the first target that takes one: nothing has been sent, so any request may try them all."""
        order = sorted(self.balance.order(), key=lambda each: each.one.target == after)
        fault: UpstreamFault | None = None
        for standing in order:
            self.balance.given_to(standing)
            try:
                return standing.one.idle_connection() or await standing.one.connection()
            except UpstreamFault as error:
                fault = fault or error
                if error.reason != _BUSY:
                    self.balance.failed(standing, error.reason)
        raise fault or UpstreamFault("upstream.connect", "there is no target")

    def release(self, connection: UpstreamConnection) -> None:
        """Take a connection back, and note how its target has done."""
        standing = self._by_target[connection.target]
        self._judge(standing, connection)
        standing.one.release(connection)

    def counts(self) -> dict[str, int]:
        """Return how many connections are open and idle, and how many requests wait for one, of all targets."""
        total: Counter[str] = Counter()
        for each in self.balance.standings:
            total.update(each.one.counts())
        return dict(total)

    def conditions(self) -> dict[str, Condition]:
        """Return how each target does, by its address."""
        return self.balance.conditions()

    def tidy(self) -> None:
        """Close what has been idle too long; all that is idle, where files were renewed."""
        for each in self.balance.standings:
            each.one.tidy()

    def retire(self) -> None:
        """Keep no connection any longer."""
        for each in self.balance.standings:
            each.one.retire()

    def _judge(self, standing: Standing[UpstreamPool], connection: UpstreamConnection) -> None:
        if connection.has_served:
            self.balance.succeeded(standing)
        elif connection.has_served is False and connection.fault is not None:
            self.balance.failed(standing, connection.fault.reason)
