"""What gunicorn runs: an ASGI application whose life is the edge's. Its connections speak HTTP themselves (`protocol`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chassis.logs import configure_logging
from gateway.config import load_settings
from gateway.configuration.held import HeldSet
from gateway.edge.bootstrap import EdgeServices, edge_services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.config import GatewaySettings

    Message = dict[str, Any]


class EdgeApplication:
    """The application of one worker; `services` are there from start-up on (ASGI's lifespan protocol)."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Open nothing yet: the event loop is not there."""
        self.settings = settings
        # The application is made once, before workers are forked: they share it.
        self._held = HeldSet()
        self.services: EdgeServices | None = None

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Start, wait for the end, stop."""
        if scope["type"] != "lifespan":
            msg = f"the edge takes no {scope['type']} over ASGI: run it with gateway.edge.worker.EdgeWorker"
            raise RuntimeError(msg)
        await receive()
        try:
            self.services = await edge_services(self.settings, self._held)
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker must not serve
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.services.stop()
        await send({"type": "lifespan.shutdown.complete"})


def application() -> EdgeApplication:
    """Return the application, as gunicorn is told to make it."""
    settings = load_settings()
    configure_logging("edge", settings.log_file("edge"))
    return EdgeApplication(settings)
