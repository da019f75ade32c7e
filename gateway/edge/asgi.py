"""The ASGI face of the edge: turns gunicorn's scope and messages into an arrival and a client, and back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from chassis.logs import configure_logging
from gateway.admission.refusal import Refusal
from gateway.config import load_settings
from gateway.edge.bootstrap import EdgeServices, edge_services
from gateway.edge.client import Arrival, ClientGone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.config import GatewaySettings
    from gateway.edge.protocol import EdgeProtocol

    Scope = dict[str, Any]
    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

# A refused client may still be sending: taking a little of that lets it read the answer before the connection ends.
_MOST_DISCARDED_BYTES: Final = 1024 * 1024
_DISCARD_SECONDS: Final = 2.0


class EdgeApplication:
    """The application of one worker; `services` are there from start-up on."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Open nothing yet: the event loop is not there."""
        self.settings = settings
        self.services: EdgeServices | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the worker's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self.services is not None:
            client = AsgiClient(scope["gateway.protocol"], receive, send)
            try:
                await self.services.edge.serve(_arrival(scope), client)
                await client.discard_rest()
            except ClientGone:
                return

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.services = await edge_services(self.settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker must not serve
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.services.stop()
        await send({"type": "lifespan.shutdown.complete"})


class AsgiClient:
    """`Client` over ASGI messages."""

    def __init__(self, protocol: EdgeProtocol, receive: Receive, send: Send) -> None:
        """Serve one exchange."""
        self._protocol = protocol
        self._receive = receive
        self._send = send
        self._has_read = False
        self.body_has_ended = False

    async def read(self) -> bytes:
        """Return the next piece of the body; raises `ClientGone`, `Refusal`."""
        if self.body_has_ended:
            return b""
        self._has_read = True
        message = await self._receive()
        if message["type"] == "http.disconnect":
            if self._protocol.is_too_slow:
                raise Refusal("http.too_slow", "the body did not arrive in time")
            raise ClientGone(self._protocol.broken_by)
        self.body_has_ended = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begin the answer."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, last: bool) -> None:
        """Send a piece of the answer's body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    def abort(self) -> None:
        """Break the connection off."""
        self._protocol.abort()

    async def discard_rest(self) -> None:
        """Take what is left of a body that nobody wants, within limits."""
        if not self._protocol.has_body_to_discard or (self._protocol.client_awaits_continue and not self._has_read):
            return
        left = _MOST_DISCARDED_BYTES
        try:
            async with asyncio.timeout(_DISCARD_SECONDS):
                while left > 0 and not self.body_has_ended:
                    left -= len(await self.read())
        except (TimeoutError, Refusal):
            return


def _arrival(scope: Scope) -> Arrival:
    return Arrival(
        connection=scope["gateway.connection"],
        method=scope["method"],
        path=scope["raw_path"],
        query=scope["query_string"],
        headers=scope["headers"],
    )


def application() -> EdgeApplication:
    """Return the application, as gunicorn is told to make it."""
    settings = load_settings()
    configure_logging("edge", settings.home.log / "edge.jsonl")
    return EdgeApplication(settings)
