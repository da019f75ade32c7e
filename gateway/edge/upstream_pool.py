"""Keep-alive connections to one internal server over mutual TLS: newest idle first, at most so many, waiters in line."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chassis.listener import TLS12_CIPHERS
from chassis.logs import get_logger
from gateway.edge.upstream_connection import UpstreamConnection, UpstreamFault

if TYPE_CHECKING:
    from chassis.addresses import Address
    from chassis.home import Home
    from gateway.edge.deadlines import Deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many connections, how many waiting for one, and how long each step may take."""

    connections: int
    waiting: int
    connect_seconds: float
    head_seconds: float
    stall_seconds: float
    idle_seconds: float


class CallerTls:
    """The gateway's side of internal mutual TLS; follows its files when they are renewed."""

    def __init__(self, home: Home) -> None:
        """Read the files; raises `OSError`, `ssl.SSLError`."""
        self._pair = home.internal("gateway")
        self._authority = home.ca("internal").certificate
        self._stamp = self._files_stamp()
        self.context = self._read()

    def reload_if_rotated(self) -> bool:
        """Take up renewed files, once they fit together; returns whether they were taken."""
        try:
            stamp = self._files_stamp()
            if stamp == self._stamp:
                return False
            self.context = self._read()
        except (OSError, ssl.SSLError) as error:
            get_logger().warning("upstream.rotation_waits", error=str(error))
            return False
        self._stamp = stamp
        return True

    def _files_stamp(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in (self._pair.certificate, self._pair.key, self._authority))

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies the chain, and the name that is given
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(TLS12_CIPHERS)
        context.load_verify_locations(cafile=self._authority)
        context.load_cert_chain(self._pair.certificate, self._pair.key)
        return context


class UpstreamPool:
    """The connections of one worker to one server, which must prove to be `<name>.internal`."""

    def __init__(self, name: str, address: Address, tls: CallerTls, deadlines: Deadlines, limits: PoolLimits) -> None:
        """Connect to nothing yet."""
        self.name = name
        self._address = address
        self._tls = tls
        self._deadlines = deadlines
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._idle: list[UpstreamConnection] = []
        self._waiters: deque[asyncio.Future[UpstreamConnection | None]] = deque()
        self._open = 0

    def idle_connection(self) -> UpstreamConnection | None:
        """Return the connection that served last, if one is free; give it back with `release`."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            self._open -= 1
        return None

    async def connection(self) -> UpstreamConnection:
        """Return a new connection, or the next that becomes free; give it back with `release`. Raises `UpstreamFault`."""
        if self._open < self._limits.connections:
            return await self._connect()
        return await self._wait_in_line()

    def release(self, connection: UpstreamConnection) -> None:
        """Take a connection back; one that cannot serve again is closed and makes room for another."""
        if not connection.is_reusable:
            connection.abort()
            self._give_up_place()
            return
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
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

    async def _wait_in_line(self) -> UpstreamConnection:
        if len(self._waiters) >= self._limits.waiting:
            raise UpstreamFault("upstream.busy", f"{len(self._waiters)} requests wait for {self.name}")
        waiter: asyncio.Future[UpstreamConnection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                connection = await waiter
        except BaseException as error:
            self._pass_on(waiter)
            if isinstance(error, TimeoutError):
                raise UpstreamFault("upstream.busy", f"no connection to {self.name} became free in time") from error
            raise
        return connection if connection is not None else await self._connect(has_place=True)

    def _pass_on(self, waiter: asyncio.Future[UpstreamConnection | None]) -> None:
        """Give to the next in line what was just given to one who has gone."""
        if not waiter.done() or waiter.cancelled():
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
        except BaseException:
            self._give_up_place()
            raise

    async def _connected(self) -> UpstreamConnection:
        limits = self._limits
        try:
            async with asyncio.timeout(limits.connect_seconds):
                _, connection = await self._loop.create_connection(
                    lambda: UpstreamConnection(
                        self._deadlines, head_seconds=limits.head_seconds, stall_seconds=limits.stall_seconds
                    ),
                    self._address.host,
                    self._address.port,
                    ssl=self._tls.context,
                    server_hostname=f"{self.name}.internal",
                )
        except TimeoutError as error:
            raise UpstreamFault(
                "upstream.timeout", f"{self.name} at {self._address} could not be connected to in time"
            ) from error
        except ssl.SSLError as error:
            raise UpstreamFault("upstream.tls", f"{self.name} at {self._address}: {error}") from error
        except OSError as error:
            raise UpstreamFault("upstream.connect", f"{self.name} at {self._address}: {error}") from error
        return connection
