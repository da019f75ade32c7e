"""What stands around a connection of the edge: a transport that takes notes, a core that a test plays, a mere host."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.admission.rendering import Answer
from gateway.edge.client_head import HeadReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.admission.request import Connection
    from gateway.edge.client import Arrival, Client
    from gateway.edge.http1.protocol import EdgeProtocol


class Transport(asyncio.Transport):
    """Notes what the protocol does to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_paused = False
        self.end = ""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 5) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Take any."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = "aborted"


class Edge:
    """Serves each request as the test says."""

    def __init__(self, serve: Callable[[Arrival, Client], Awaitable[None]]) -> None:
        self.serve = serve
        self.refused: list[str] = []

    def serve_at_once(self, arrival: Arrival, client: Any) -> None:
        client.go_on(self.serve(arrival, client))

    def refuse_unread(self, _connection: Connection, refusal: Any) -> Answer:
        self.refused.append(refusal.reason)
        return self.rendered(refusal)

    def rendered(self, refusal: Any) -> Answer:
        return Answer(refusal.status, [(b"content-length", b"0")], b"")


class Host:
    """A worker without a process."""

    def __init__(self, edge: Edge) -> None:
        self.edge: Any = edge
        self.heads = HeadReader()
        self.is_stopping = False
        self.connections: set[EdgeProtocol] = set()

    def has_room(self) -> bool:
        return len(self.connections) < 2

    def connected(self, connection: EdgeProtocol) -> None:
        self.connections.add(connection)

    def disconnected(self, connection: EdgeProtocol) -> None:
        self.connections.discard(connection)


async def answer(_arrival: Arrival, client: Client) -> None:
    client.start(200, [(b"content-length", b"2")])
    client.write(b"ok", last=True)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
