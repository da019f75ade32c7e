"""The connections to one server: who gets which, who waits, and that every place is given back once."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest

from chassis.addresses import Address
from gateway.edge.deadlines import Deadlines
from gateway.edge.upstream.pool import PoolLimits, UpstreamPool
from gateway.upstreams.faults import UpstreamFault
from gateway.upstreams.model import Upstream
from tests.unit.gateway.edge.test_upstream_connection import Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.edge.upstream.connection import UpstreamConnection

ADDRESS = Address("bank.example", 443)
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Tls:
    """What a target is spoken with; nobody shakes hands here."""

    server_name = "bank.example"

    def __init__(self) -> None:
        self.present = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.is_renewed = False

    def context(self) -> ssl.SSLContext:
        return self.present

    def require_pinned(self, certificate: bytes | None) -> None:
        """Take any."""

    def reload_if_rotated(self) -> bool:
        renewed, self.is_renewed = self.is_renewed, False
        return renewed

    def renew(self) -> None:
        self.present, self.is_renewed = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), True


class SecuredWire(Wire):
    """A transport over which the handshake is done."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        del name, default
        return self

    def getpeercert(self, *, binary_form: bool) -> bytes:
        del binary_form
        return b""


class Loop:
    """The event loop, but for what would connect."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.connections = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._loop, name)

    async def create_connection(
        self, make: Callable[[], UpstreamConnection], *_address: object, **_tls: object
    ) -> tuple[SecuredWire, UpstreamConnection]:
        wire, connection = SecuredWire(), make()
        connection.connection_made(wire)
        self.connections += 1
        return wire, connection


class Under:
    """A pool of one connection, and what stands around it."""

    def __init__(self, *, connections: int = 1, waiting: int = 2) -> None:
        self.tls, self.loop = Tls(), Loop()
        limits = PoolLimits(
            connections=connections, waiting=waiting, connect_seconds=60, head_seconds=30, stall_seconds=30, idle_seconds=60
        )
        self.pool = UpstreamPool(
            Upstream(name="bank", targets=(ADDRESS,)), ADDRESS, self.tls, deadlines=Deadlines(every_seconds=1), limits=limits
        )
        self.pool._loop = self.loop  # type: ignore[assignment]

    async def waiting(self) -> asyncio.Task[UpstreamConnection]:
        task = asyncio.get_running_loop().create_task(self.pool.connection())
        await asyncio.sleep(0)
        return task


def run(test: Callable[[Under], Awaitable[None]]) -> None:
    async def main() -> None:
        await test(Under())

    asyncio.run(main())


def ask(connection: UpstreamConnection) -> None:
    connection.begin(is_head_request=False)
    connection.write(b"GET / HTTP/1.1\r\n\r\n", last=True)


def serve(connection: UpstreamConnection) -> None:
    ask(connection)
    connection.data_received(REPLY)
    assert connection.take() == b"ok"


def test_who_waits_gets_the_connection_that_becomes_free() -> None:
    """The same one, and no further place is taken."""

    async def test(under: Under) -> None:
        first = await under.pool.connection()
        waiting = await under.waiting()
        serve(first)
        under.pool.release(first)
        assert await waiting is first
        assert under.pool.counts() == {"open": 1, "idle": 0, "waiting": 0}

    run(test)


def test_who_has_left_the_line_takes_no_place_in_it() -> None:
    """Else requests are refused because of others that wait no longer, as long as no connection becomes free."""

    async def test(under: Under) -> None:
        await under.pool.connection()
        for waiting in [await under.waiting(), await under.waiting()]:
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert under.pool.counts()["waiting"] == 0
        still = await under.waiting()
        assert not still.done()
        still.cancel()

    run(test)


def test_a_full_line_refuses() -> None:
    """So many and no more."""

    async def test(under: Under) -> None:
        await under.pool.connection()
        waiting = [await under.waiting(), await under.waiting()]
        with pytest.raises(UpstreamFault, match="2 requests wait"):
            await under.pool.connection()
        for each in waiting:
            each.cancel()

    run(test)


def test_a_connection_that_ends_on_its_way_to_who_waits_is_replaced() -> None:
    """Its server closed it just behind the reply; nothing was sent over it, so nobody has to hear of that."""

    async def test(under: Under) -> None:
        first = await under.pool.connection()
        waiting = await under.waiting()
        serve(first)
        under.pool.release(first)
        first.connection_lost(None)
        second = await waiting
        assert second is not first
        assert second.is_open
        assert under.pool.counts() == {"open": 1, "idle": 0, "waiting": 0}

    run(test)


def test_a_connection_given_to_one_who_has_left_goes_to_the_next() -> None:
    """And none is lost."""

    async def test(under: Under) -> None:
        first = await under.pool.connection()
        leaving, staying = await under.waiting(), await under.waiting()
        serve(first)
        under.pool.release(first)
        leaving.cancel()
        assert await staying is first
        assert leaving.cancelled()
        assert under.pool.counts() == {"open": 1, "idle": 0, "waiting": 0}

    run(test)


def test_a_place_given_to_one_who_has_left_goes_to_the_next() -> None:
    """Where no connection goes with it."""

    async def test(under: Under) -> None:
        first = await under.pool.connection()
        leaving, staying = await under.waiting(), await under.waiting()
        ask(first)
        under.pool.release(first)
        leaving.cancel()
        assert await staying is not first
        assert under.pool.counts() == {"open": 1, "idle": 0, "waiting": 0}

    run(test)


def test_a_connection_that_was_in_use_while_files_were_renewed_serves_no_other_request() -> None:
    """Under load it is never idle: it would go on by the certificate that was to be replaced."""

    async def test(under: Under) -> None:
        first = await under.pool.connection()
        under.tls.renew()
        under.pool.tidy()
        serve(first)
        under.pool.release(first)
        assert under.pool.idle_connection() is None
        assert under.pool.counts() == {"open": 0, "idle": 0, "waiting": 0}

    run(test)


def test_who_waits_while_files_are_renewed_gets_a_new_connection() -> None:
    """In the place of the one before."""

    async def test(under: Under) -> None:
        first = await under.pool.connection()
        waiting = await under.waiting()
        under.tls.renew()
        under.pool.tidy()
        serve(first)
        under.pool.release(first)
        assert await waiting is not first
        assert under.loop.connections == 2
        assert under.pool.counts() == {"open": 1, "idle": 0, "waiting": 0}

    run(test)
