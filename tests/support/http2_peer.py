"""A connection over HTTP/2 on a transport of our own making, and the client at its other end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from h2 import events

from gateway.config import GatewaySettings
from gateway.edge.http2.protocol import Http2Protocol
from gateway.policies.model import Listener
from tests.support.edge_protocol import Edge, Host, Transport, answer, settled
from tests.support.http2 import head, plain_client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from h2.connection import H2Connection

    from gateway.edge.client import Arrival, Client

SETTINGS = GatewaySettings(max_head_bytes=4096, max_header_count=20)
CALM, PROTOCOL_ERROR, FRAME_SIZE_ERROR, REFUSED = 11, 1, 6, 7


class Peer:
    """The client at the other end, and all that is around the connection."""

    def __init__(self, serve: Any) -> None:
        self.host = Host(Edge(serve))
        self.protocol = Http2Protocol(self.host, Listener.EDGE, SETTINGS)  # type: ignore[arg-type] # counts without looking
        self.transport = Transport()
        self.client: H2Connection = plain_client()
        self.heard: list[events.Event] = []
        self.protocol.connection_made(self.transport)
        self.client.initiate_connection()
        self.exchange()

    def exchange(self, more: bytes = b"") -> None:
        self.protocol.data_received(self.client.data_to_send() + more)
        self.listen()

    def listen(self) -> None:
        written, self.transport.written = self.transport.written, b""
        self.heard += self.client.receive_data(written)

    async def ask(self, *, ends: bool = True, **headers: str) -> int:
        number = self.client.get_next_available_stream_id()
        self.client.send_headers(number, head("/v1/consents/1", **headers), end_stream=ends)
        self.exchange()
        await settled()
        self.listen()
        return number

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def goaway(self) -> int | None:
        found = self.of(events.ConnectionTerminated)
        return int(found[0].error_code) if found else None

    @property
    def resets(self) -> dict[int, int]:
        return {event.stream_id: int(event.error_code) for event in self.of(events.StreamReset)}


def run(test: Callable[[Peer], Awaitable[None]], serve: Any = answer) -> None:
    async def main() -> None:
        peer = Peer(serve)
        await test(peer)
        peer.protocol.connection_lost(None)
        await settled()
        assert not peer.host.connections

    asyncio.run(main())


async def wait_for_ever(_arrival: Arrival, _client: Client) -> None:
    await asyncio.Event().wait()


async def read_all(_arrival: Arrival, client: Client) -> None:
    while not client.body_has_ended:
        await client.read()
    await answer(_arrival, client)
