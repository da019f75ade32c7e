"""gunicorn's asgi worker for the edge: own sockets with TLS of their own, limits, and parting with whom trust has left."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gunicorn.arbiter import Arbiter
from gunicorn.asgi.lifespan import LifespanManager
from gunicorn.workers.gasgi import ASGIWorker

from gateway.edge.client_head import HeadReader
from gateway.edge.http1.protocol import EdgeProtocol
from gateway.edge.http2.protocol import Http2Protocol
from gateway.edge.incoming_relayed import IncomingRelayed
from gateway.edge.tls.contexts import HTTP2
from gateway.edge.tls.handshake import IncomingTls
from gateway.edge.tls.stapler import Stapler
from gateway.edge.tls.staplers import Staplers
from gateway.trust.fetching import Fetcher
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.edge.bootstrap import EdgeServices
    from gateway.edge.connections import ClientProtocol
    from gateway.edge.core import Edge
    from gateway.edge.setup import EdgeSetup
    from gateway.edge.tls.handshake import FailedHandshake, Incoming
    from gateway.policies.model import Listener

_HEARTBEAT_SECONDS: Final = 1.0
_FAREWELL_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 0.05
_ROTATION_LOOK_SECONDS: Final = 1.0
_DOOM_GRACE_SECONDS: Final = 2.0
_BACKLOG: Final = 2_048
_JUDGED_AT_ONCE: Final = 50
# Objects made and not yet gone before the collector looks: requests leave no cycles behind, so it has little to find.
_COLLECT_EVERY: Final = 20_000


class EdgeWorker(ASGIWorker):  # type: ignore[misc]
    """One worker process of the edge; also the `Reception` of its connections and a `Watcher` of its knowledge."""

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - handed to gunicorn
        """Serve nothing yet."""
        super().__init__(*args, **settings)
        self.connections: set[ClientProtocol] = set()
        self._handshakes: set[Incoming] = set()
        self.heads = HeadReader()
        self._partings: set[asyncio.Task[None]] = set()
        self._setup: EdgeSetup = self.cfg.edge_setup

    # --- life ---

    async def _serve(self) -> None:
        """Start the application, listen, and beat until told to stop; gunicorn's own, but with our listeners."""
        self.lifespan = LifespanManager(self.asgi, self.log, self.state)
        try:
            await self.lifespan.startup()
        except RuntimeError as error:
            self.log.error("the edge can't start: %s", error)  # noqa: TRY400 - the message says it all
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from error
        self._setup.tls.reload_if_rotated()
        self._services.decisions.server_names.attach(self._setup.tls)
        self._services.decisions.knowledge.watch(self)
        for sock in self.sockets:
            await self._listen(sock.sock)
        self._keep_staple()
        # What is loaded by now stays for good: the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_EVERY)
        await self._beat()
        await self._shutdown()

    def _keep_staple(self) -> None:
        tls, settings = self._setup.tls, self._setup.settings
        staple = tls.staple
        if staple is None:
            return
        # The platform's own responder, which the certificate of this very server names, is on the welcome listener.
        own = frozenset({f"{settings.public_host}:{settings.ports.welcome}"})
        make = partial(Stapler, fetcher=Fetcher(), internal_hosts=own, clock=SystemClock())
        # Of the certificate in force, whatever the files say.
        default = make(lambda: tls.chain_pem, staple)
        of_names = Staplers(
            lambda: self._services.decisions.server_names.staples, lambda chain, each: make(lambda: chain, each)
        )
        for keeper in (default, of_names):
            self._partings.add(self.loop.create_task(keeper.keep(), name="stapler"))

    async def _listen(self, sock: Any) -> None:  # noqa: ANN401 - gunicorn's socket
        listener = self._setup.listener_of_port[sock.getsockname()[1]]
        self.servers.append(await self.loop.create_server(self._greeter(listener), sock=sock, backlog=_BACKLOG))

    def _greeter(self, listener: Listener) -> Callable[[], asyncio.Protocol]:
        settings = self._setup.settings

        def speak(told_address: str | None, protocol: str | None = None) -> asyncio.Protocol:
            face = Http2Protocol if protocol == HTTP2 else EdgeProtocol
            return face(self, listener, settings, told_address=told_address)

        def secure(told_address: str | None) -> asyncio.Protocol:
            return IncomingTls(
                listener,
                self._setup.tls.contexts[listener],
                self,
                partial(speak, told_address),
                handshake_seconds=settings.handshake_seconds,
                told_address=told_address,
            )

        go_on = secure if listener.speaks_tls else speak

        def greet() -> asyncio.Protocol:
            networks = self._services.decisions.relays.networks_of(listener)
            if networks is None:
                return go_on(None)
            return IncomingRelayed(listener, networks, self, go_on, seconds=settings.handshake_seconds)

        return greet

    async def _beat(self) -> None:
        look_at = time.monotonic() + _ROTATION_LOOK_SECONDS
        beat_at = 0.0
        while self.alive and self.ppid == os.getppid():
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + _HEARTBEAT_SECONDS
                self.notify()
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _ROTATION_LOOK_SECONDS
                self._setup.tls.reload_if_rotated()
            await asyncio.sleep(_LOOK_SECONDS)  # a signal only clears `alive`

    async def _shutdown(self) -> None:
        """Take nobody in, send idle clients away, let the others finish for as long as gunicorn grants."""
        self.alive = False
        for server in self.servers:
            server.close()
        for incoming in tuple(self._handshakes):
            incoming.abort()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        farewell = time.monotonic() + _FAREWELL_SECONDS
        while self.connections and time.monotonic() < deadline and not self._quick_shutdown:
            self._send_away(for_good=time.monotonic() >= farewell)
            self.notify()
            await asyncio.sleep(_LOOK_SECONDS)
        for connection in tuple(self.connections):
            connection.abort()
        with suppress(Exception):
            await self.lifespan.shutdown()

    def _send_away(self, *, for_good: bool) -> None:
        """Close connections between two requests; those whose clients do not close in turn are broken off."""
        for connection in tuple(self.connections):
            if connection.is_closing and for_good:
                connection.abort()
            elif connection.is_idle:
                connection.close()

    # --- what connections need ---

    @property
    def edge(self) -> Edge:
        """The core."""
        return self._services.edge

    @property
    def _services(self) -> EdgeServices:
        services: EdgeServices | None = self.asgi.services
        if services is None:
            msg = "the edge has not started"
            raise RuntimeError(msg)
        return services

    @property
    def is_stopping(self) -> bool:
        """Whether no connection should go on after its present answer."""
        return not self.alive

    def has_room(self) -> bool:
        """Whether one more connection may be served."""
        return len(self.connections) + len(self._handshakes) < self._setup.settings.max_connections

    def handshake_began(self, incoming: Incoming) -> None:
        """Count a connection that is shaking hands."""
        self._handshakes.add(incoming)

    def handshake_ended(self, incoming: Incoming, failure: FailedHandshake | None) -> None:
        """Count it no more; note the failure."""
        self._handshakes.discard(incoming)
        if failure is not None:
            self.edge.note_handshake(failure)

    def connected(self, connection: ClientProtocol) -> None:
        """Serve a connection."""
        self.connections.add(connection)
        self._services.deadlines.watch(connection)
        if connection.connection is not None:
            self.edge.note_connection(connection.connection)

    def disconnected(self, connection: ClientProtocol) -> None:
        """Serve it no more."""
        self.connections.discard(connection)
        self._services.deadlines.forget(connection)

    # --- trust that has shrunk ---

    def trust_changed(self) -> None:
        """Part with connections whose certificate is not trusted any more."""
        self._part_with(lambda holder: holder is None)

    def tpp_barred(self, authorisation_number: str) -> None:
        """Part with a TPP's connections."""
        self._part_with(lambda holder: holder is None or holder == authorisation_number)

    def _part_with(self, unwanted: Callable[[str | None], bool]) -> None:
        task = self.loop.create_task(self._doom_all(unwanted))
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)

    async def _doom_all(self, unwanted: Callable[[str | None], bool]) -> None:
        for number, protocol in enumerate(tuple(self.connections)):
            connection = protocol.connection
            if connection is None or connection.leaf is None:
                continue
            if unwanted(self.edge.holder(connection)):
                protocol.doom(grace_seconds=_DOOM_GRACE_SECONDS)
            if number % _JUDGED_AT_ONCE == 0:
                await asyncio.sleep(0)  # a judgement takes a third of a millisecond: let the others go on
