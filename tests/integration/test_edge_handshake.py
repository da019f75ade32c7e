"""A TLS handshake at the edge: the first bytes are never lost, and nothing of it outlives its connection."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, Self, cast

import pytest
import uvloop

from gateway.edge.tls.handshake import EdgeSslObject, FailedHandshake, IncomingTls
from gateway.policies.model import Listener
from tests.support.pki import Authority

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 30.0


class Reception:
    """Takes everybody in."""

    def has_room(self) -> bool:
        return True

    def handshake_began(self, incoming: IncomingTls) -> None:
        """Count nothing."""

    def handshake_ended(self, incoming: IncomingTls, failure: FailedHandshake | None) -> None:
        """Count nothing."""


class Greeting(asyncio.Protocol):
    """Says hello once the handshake is done."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(b"hello")


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def test_a_client_that_speaks_before_it_is_accepted_is_heard(new_loop: object, tmp_path: Path) -> None:
    """The ClientHello lies in the socket when the loop accepts it, and is read before `start_tls` has taken over."""
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server("localhost").write(tmp_path, "server"))
    context.sslobject_class = EdgeSslObject
    listening = socket.create_server(("127.0.0.1", 0))

    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(converse, listening.getsockname()[1], authority.pem)
        loop = new_loop()  # type: ignore[operator]
        try:
            loop.run_until_complete(serve_late(loop, listening, context, heard))
        finally:
            loop.close()

    assert heard.result() == b"hello"


class WatchedTls(EdgeSslObject):
    """Known as long as it lives."""

    living: ClassVar[weakref.WeakSet[WatchedTls]] = weakref.WeakSet()

    def __new__(cls) -> Self:
        made = super().__new__(cls)
        cls.living.add(made)
        return made


def test_the_tls_of_a_connection_ends_with_it(tmp_path: Path) -> None:
    """Not when garbage is looked for: it is some 50 kB outside of what Python counts, and connections come by the thousand."""
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server("localhost").write(tmp_path, "server"))
    context.sslobject_class = WatchedTls
    gc.collect()
    gc.disable()
    try:
        uvloop.run(serve_some(context, authority.pem))
    finally:
        gc.enable()


async def serve_some(context: ssl.SSLContext, trusted: str) -> None:
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", 0))

    def greet() -> asyncio.Protocol:
        return IncomingTls(Listener.EDGE, context, Reception(), lambda _: Greeting(), handshake_seconds=_SECONDS)

    server = await loop.create_server(greet, sock=listening)
    for _ in range(3):
        assert await asyncio.to_thread(converse, listening.getsockname()[1], trusted) == b"hello"
    async with asyncio.timeout(_SECONDS):
        while WatchedTls.living:  # noqa: ASYNC110 - nothing tells of the end of an object
            await asyncio.sleep(0.01)
    server.close()


async def serve_late(loop: asyncio.AbstractEventLoop, listening: socket.socket, context: ssl.SSLContext, heard: object) -> None:
    await asyncio.sleep(0.2)  # the client connects and sends its ClientHello meanwhile

    def greet() -> asyncio.Protocol:
        return IncomingTls(Listener.EDGE, context, Reception(), lambda _: Greeting(), handshake_seconds=_SECONDS)

    server = await loop.create_server(greet, sock=listening)
    await asyncio.wait_for(asyncio.wrap_future(heard), _SECONDS)  # type: ignore[arg-type]
    server.close()


def converse(port: int, trusted: str) -> bytes:
    context = ssl.create_default_context(cadata=trusted)
    plain = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as secured:
        return secured.recv(5)
