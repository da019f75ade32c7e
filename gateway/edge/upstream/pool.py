"""Keep-alive connections to one server over TLS: newest idle first, at most so many, waiters in line."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from gateway.edge.upstream.connection import UpstreamConnection
from gateway.upstreams.faults import UpstreamFault, ground_of_tls
from gateway.upstreams.health import Condition

if TYPE_CHECKING:
    from chassis.addresses import Address
    from gateway.edge.deadlines import Deadlines
    from gateway.policies.model import Upstream as Service
    from gateway.upstreams.model import Upstream
    from gateway.upstreams.tls import TargetTls


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many connections, how many waiting for one, and how long each step may take."""

    connections: int
    waiting: int
    connect_seconds: float
    head_seconds: float
    stall_seconds: float
    idle_seconds: float


class Pool(Protocol):
    """The connections of one worker to one upstream, of one target or several.

    `service` is the internal service that it is, `host` the Host header that it gets where that is not the client's;
    `attempts` is how often a request may be sent that does no harm twice.
    """

    @property
    def service(self) -> Service | None:
        """The internal service that answers, None for everybody else."""

    @property
    def passes_identity(self) -> bool:
        """Whether it is told who calls."""

    @property
    def host(self) -> bytes | None:
        """The Host header that it gets, None for the client's own."""

    @property
    def attempts(self) -> int:
        """How often a request that does no harm twice is sent; a kept connection that ended unseen is one of them."""

    @property
    def has_others(self) -> bool:
        """Whether what one target fails another may do."""

    def idle_connection(self) -> UpstreamConnection | None:
        """Return a connection that is free; give it back with `release`."""

    async def connection(self, *, after: str = "") -> UpstreamConnection:
        """Return one, after a wait, if it must be; not to the target `after` where there is another. Raises `UpstreamFault`."""

    def release(self, connection: UpstreamConnection) -> None:
        """Take a connection back."""

    def counts(self) -> dict[str, int]:
        """Return how many connections are open and idle, and how many requests wait for one."""

    def conditions(self) -> dict[str, Condition]:
        """Return how each target does, by its address."""

    def tidy(self) -> None:
        """Close what has been idle too long, follow renewed files."""

    def retire(self) -> None:
        """Keep no connection any longer: no further request will come."""


_WITH_STALE: Final = 2


class UpstreamPool:
    """The connections of one worker to one target, which must prove itself by `tls`; the whole pool of an upstream with one."""

    has_others = False
    attempts = _WITH_STALE

    def __init__(
        self, upstream: Upstream, address: Address, tls: TargetTls, *, deadlines: Deadlines, limits: PoolLimits
    ) -> None:
        """Connect to nothing yet."""
        self.name = upstream.name
        self.target = str(address)
        self.service, self.passes_identity, self.host = upstream.service, upstream.passes_identity, upstream.host
        self._address = address
        self._tls = tls
        self._deadlines = deadlines
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._is_retired = False
        self._idle: list[UpstreamConnection] = []
        self._waiters: deque[asyncio.Future[UpstreamConnection | None]] = deque()
        self._open = 0
        self._is_failing = False

    def counts(self) -> dict[str, int]:
        """Return how many connections are open and idle, and how many requests wait for one."""
        return {"open": self._open, "idle": len(self._idle), "waiting": len(self._waiters)}

    def conditions(self) -> dict[str, Condition]:
        """Return how the target does: there is no other, so it is never left alone."""
        return {self.target: Condition.FAILING if self._is_failing else Condition.SERVING}

    def idle_connection(self) -> UpstreamConnection | None:
        """Return the connection that served last, if one is free; give it back with `release`."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            self._open -= 1
        return None

    @property
    def busy(self) -> int:
        """How many connections serve, or are being made, and how many requests wait for one."""
        return self._open - len(self._idle) + len(self._waiters)

    async def connection(self, *, after: str = "") -> UpstreamConnection:
        """Return a new connection, or the next that becomes free; give it back with `release`. Raises `UpstreamFault`."""
        del after  # there is no other target
        if self._open < self._limits.connections:
            return await self._connect()
        return await self._wait_in_line()

    def release(self, connection: UpstreamConnection) -> None:
        """Take a connection back; one that cannot serve again is closed and makes room for another."""
        # Under load it is never idle when files are renewed: it goes after the exchange in which they were.
        if not connection.is_reusable or connection.secured_by is not self._tls.context():
            if connection.has_served is not None:
                self._is_failing = not connection.has_served
            connection.abort()
            self._give_up_place()
            return
        self._is_failing = False
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
            return
        if self._is_retired:
            connection.abort()
            self._open -= 1
            return
        connection.idle_since = self._loop.time()
        self._idle.append(connection)

    def close_idle(self, *, all_of_them: bool = False) -> None:
        """Close connections that have been idle too long, or all idle ones."""
        horizon = self._loop.time() - self._limits.idle_seconds
        kept = [] if all_of_them else [each for each in self._idle if each.is_open and each.idle_since > horizon]
        for connection in self._idle:
            if connection not in kept:
                connection.abort()
                self._open -= 1
        self._idle = kept

    def tidy(self) -> None:
        """Close what has been idle too long; all that is idle, where files were renewed."""
        self.close_idle(all_of_them=self._tls.reload_if_rotated())

    def retire(self) -> None:
        """Keep no connection any longer: no further request will come."""
        self._is_retired = True
        self.close_idle(all_of_them=True)

    async def _wait_in_line(self) -> UpstreamConnection:
        if len(self._waiters) >= self._limits.waiting:
            raise UpstreamFault("upstream.busy", f"{len(self._waiters)} requests wait for {self.name}")
        waiter: asyncio.Future[UpstreamConnection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                connection = await waiter
        except BaseException as error:
            self._leave_line(waiter)
            if isinstance(error, TimeoutError):
                raise UpstreamFault("upstream.busy", f"no connection to {self.name} became free in time") from error
            raise
        # What was given may have ended on the way here: its server closed it just behind the reply.
        return connection if connection is not None and connection.is_open else await self._connect(has_place=True)

    def _leave_line(self, waiter: asyncio.Future[UpstreamConnection | None]) -> None:
        """Wait no longer; what was just given goes to the next in line."""
        if not waiter.done() or waiter.cancelled():
            with suppress(ValueError):
                self._waiters.remove(waiter)
            return
        connection = waiter.result()
        if connection is None:
            self._give_up_place()
        else:
            self.release(connection)

    def _next_waiter(self) -> asyncio.Future[UpstreamConnection | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _give_up_place(self) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)  # the place is handed on, not the connection
        else:
            self._open -= 1

    async def _connect(self, *, has_place: bool = False) -> UpstreamConnection:
        if not has_place:
            self._open += 1
        try:
            return await self._connected()
        except BaseException as error:
            self._is_failing = self._is_failing or isinstance(error, UpstreamFault)
            self._give_up_place()
            raise

    async def _connected(self) -> UpstreamConnection:
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                return await self._secured()
        except TimeoutError as error:
            raise UpstreamFault(
                "upstream.timeout", f"{self.name} at {self._address} could not be connected to in time"
            ) from error
        except ssl.SSLError as error:
            raise UpstreamFault(ground_of_tls(error), f"{self.name} at {self._address}: {error}") from error
        except OSError as error:
            raise UpstreamFault("upstream.connect", f"{self.name} at {self._address}: {error}") from error

    async def _secured(self) -> UpstreamConnection:
        context = self._tls.context()
        transport, connection = await self._loop.create_connection(
            self._new_connection,
            self._address.host,
            self._address.port,
            ssl=context,
            server_hostname=self._tls.server_name,
        )
        connection.secured_by = context
        try:
            # Before the first byte of a request: chain and name have been verified by now.
            self._tls.require_pinned(transport.get_extra_info("ssl_object").getpeercert(binary_form=True))
        except UpstreamFault as fault:
            connection.abort(fault)
            raise
        return connection

    def _new_connection(self) -> UpstreamConnection:
        limits = self._limits
        connection = UpstreamConnection(self._deadlines, head_seconds=limits.head_seconds, stall_seconds=limits.stall_seconds)
        connection.target = self.target
        return connection
