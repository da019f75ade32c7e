"""One connection to a client over HTTP/1.1, from the end of the handshake on: requests in turn, a deadline on every wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from gateway.admission.refusal import Refusal
from gateway.edge.client import Arrival, ClientGone
from gateway.edge.connections import client_connection
from gateway.edge.deadlines import NEVER
from gateway.edge.http1.exchange import HttpExchange, status_line
from gateway.edge.http1.parser import RefusedRequest, RequestParser

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.admission.rendering import Answer
    from gateway.admission.request import Connection
    from gateway.config import GatewaySettings
    from gateway.edge.connections import Host
    from gateway.edge.passage import Passage
    from gateway.policies.model import Listener

_WRITE_AHEAD_BYTES: Final = 64 * 1024


class EdgeProtocol(asyncio.Protocol):
    """A client's connection; hears its parser (`RequestSink`) and carries its exchanges (`ExchangeCarrier`)."""

    def __init__(self, host: Host, listener: Listener, settings: GatewaySettings, *, told_address: str | None = None) -> None:
        """Wait for the connection, which is `told_address`'s where a relay has said so."""
        self._host = host
        self._listener = listener
        self._settings = settings
        self._told_address = told_address
        self._loop = asyncio.get_running_loop()
        limits = {"max_head_bytes": settings.max_head_bytes, "max_header_count": settings.max_header_count}
        self._parser = RequestParser(self, host.heads, **limits)
        self._transport: asyncio.Transport | None = None
        self._exchange: HttpExchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._passage: Passage | None = None
        self._awaiting_room: asyncio.Future[None] | None = None
        self._is_reading_held = False
        self._is_writing_paused = False
        self._phase_due_at = NEVER
        self._stall_due_at = NEVER
        self._doomed_due_at = NEVER
        self.is_closing = False
        self.connection: Connection | None = None

    # --- the connection ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who is there; the first request's time begins."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._transport.set_write_buffer_limits(high=_WRITE_AHEAD_BYTES)
        self.connection = client_connection(self._transport, self._listener, self._told_address)
        if not self._listener.speaks_tls and not self._host.has_room():  # else the handshake has found room for it
            self.abort()
            return
        self._host.connected(self)
        self._phase_due_at = self._loop.time() + self._settings.head_seconds

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange, if one is under way."""
        del exc
        self.is_closing = True
        self._host.disconnected(self)
        self._transport = None  # so that its TLS is freed now, and not when garbage is looked for
        self._phase_due_at = self._stall_due_at = self._doomed_due_at = NEVER
        self._is_writing_paused = False
        self._wake_writer()
        if self._passage is not None:
            self._passage.hand_over()
        if self._task is not None:
            # Behind the task's own beginning: an exchange that has never begun would leave no record.
            self._loop.call_soon(self._task.cancel)

    def data_received(self, data: bytes) -> None:
        """Parse; a head that has begun has to end in time, and of requests to come not too much is held."""
        if self.is_closing:
            return
        try:
            self._parser.feed(data)
        except RefusedRequest as error:
            self._refuse(error)
            return
        self._watch_head()
        if self._parser.holds_enough:
            self.hold_reading()

    def pause_writing(self) -> None:
        """Give a client that takes nothing so much time."""
        self._is_writing_paused = True
        self._stall_due_at = self._loop.time() + self._settings.stall_seconds

    def resume_writing(self) -> None:
        """Go on."""
        self._is_writing_paused = False
        if not self.is_closing:
            self._stall_due_at = NEVER
        self._wake_writer()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being served."""
        return self._exchange is None

    def close(self) -> None:
        """Close, once all that was written has gone out; a client that does not take it is not waited for without end."""
        if self.is_closing:
            return
        self.is_closing = True
        self._phase_due_at = NEVER
        self._stall_due_at = self._loop.time() + self._settings.stall_seconds
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Break off at once."""
        self.is_closing = True
        if self._transport is not None:
            self._transport.abort()

    def doom(self, *, grace_seconds: float) -> None:
        """Let the next request have its refusal, with its reason, then close; what still runs after the grace is broken off."""
        if self._doomed_due_at == NEVER:
            self._doomed_due_at = self._loop.time() + grace_seconds

    # --- `Timed` ---

    @property
    def due_at(self) -> float:
        """The nearest deadline."""
        return min(self._phase_due_at, self._stall_due_at, self._doomed_due_at)

    def overdue(self) -> None:
        """End what took too long."""
        now = self._loop.time()
        if self._stall_due_at <= now or (self._doomed_due_at <= now and not self.is_idle):
            self.abort()
        elif self.is_closing:
            return  # all has been said: only its going out has a deadline
        elif self._exchange is not None and not self._exchange.body_is_whole:
            self._phase_due_at = NEVER
            self._exchange.fail(Refusal("http.too_slow", "the body did not arrive in time"))
        elif self._parser.has_partial_head:
            self._answer_unread(Refusal("http.too_slow", "the head did not arrive in time"))
        else:
            self.close()

    # --- `RequestSink` ---

    def head_arrived(self) -> None:
        """Begin to serve, where a body is still to come; else the request is about to end (`request_ended`)."""
        self._phase_due_at = self._loop.time() + self._settings.body_seconds
        exchange = self._exchange = HttpExchange(self, self._parser)
        if not self._parser.came_whole and self.connection is not None:
            self.go_on(self._host.edge.serve(self._arrival(self.connection), exchange))

    def body_arrived(self, piece: bytes) -> None:
        """Hand it to the exchange."""
        if self._exchange is not None:
            self._exchange.body_arrived(piece)

    def request_ended(self) -> None:
        """Let the exchange know; from now on the client may take its time."""
        self._phase_due_at = NEVER
        exchange = self._exchange
        if exchange is None or self.connection is None:
            return
        exchange.body_ended()
        if not self._parser.came_whole:
            return
        if self._parser.holds_more:
            # One task for each of requests that came together: answers at once would call one another.
            self.go_on(self._host.edge.serve(self._arrival(self.connection), exchange))
        else:
            self._passage = self._host.edge.serve_at_once(self._arrival(self.connection), exchange)

    # --- `ExchangeCarrier` ---

    def send(self, data: bytes) -> None:
        """Write to the client, unless the connection ends already."""
        if self._transport is not None and not self.is_closing:
            self._transport.write(data)

    @property
    def is_full(self) -> bool:
        """Whether the client takes nothing at the moment, or is gone."""
        return self._is_writing_paused or self.is_closing

    async def drain(self) -> None:
        """Wait while the client takes nothing; raises `ClientGone`."""
        while self._is_writing_paused:
            self._awaiting_room = self._loop.create_future()
            await self._awaiting_room
        if self.is_closing:
            raise ClientGone

    def hold_reading(self) -> None:
        """Read no more for now."""
        if not self._is_reading_held and self._transport is not None:
            self._is_reading_held = True
            self._transport.pause_reading()

    def go_on_reading(self) -> None:
        """Read on, unless enough of requests to come is here already."""
        if not self._is_reading_held or self._parser.holds_enough:
            return
        if self._transport is not None and not self.is_closing:
            self._is_reading_held = False
            self._transport.resume_reading()

    def go_on(self, work: Coroutine[object, object, None]) -> None:
        """Run what is left of the exchange."""
        if self._exchange is not None:
            self._task = self._loop.create_task(self._serve(self._exchange, work))

    def finished(self) -> None:
        """Turn to the next request."""
        if self._exchange is not None:
            self._turn_to_next(self._exchange)

    @property
    def will_close(self) -> bool:
        """Whether the connection ends after this answer for reasons of its own."""
        return self._doomed_due_at != NEVER or self._host.is_stopping

    # --- inside ---

    def _arrival(self, connection: Connection) -> Arrival:
        parser = self._parser
        path, _, query = parser.target.partition(b"?")
        return Arrival(connection=connection, method=parser.method, path=path, query=query, head=parser.head)

    async def _serve(self, exchange: HttpExchange, work: Coroutine[object, object, None]) -> None:
        try:
            await work
            if not exchange.body_is_whole:
                await exchange.discard_rest()
        except ClientGone:
            if not self.is_closing:  # or an answer of ours is still on its way out
                self.abort()
        except BaseException:
            self.abort()
            raise
        self._turn_to_next(exchange)

    def _turn_to_next(self, exchange: HttpExchange) -> None:
        self._task = self._exchange = self._passage = None
        if self.is_closing:
            return
        if not exchange.has_ended:
            self.abort()
        elif exchange.must_close or not exchange.body_is_whole or self._parser.lost_the_next or self.will_close:
            self.close()
        else:
            self._await_next()

    def _await_next(self) -> None:
        self._phase_due_at = self._loop.time() + self._settings.idle_seconds
        try:
            self._parser.reset()
        except RefusedRequest as error:
            self._refuse(error)
            return
        self._watch_head()
        # Only now: one short request of many that came together makes no room for more.
        self.go_on_reading()

    def _watch_head(self) -> None:
        if self._parser.has_partial_head:
            self._phase_due_at = min(self._phase_due_at, self._loop.time() + self._settings.head_seconds)

    def _refuse(self, error: RefusedRequest) -> None:
        """Answer bytes that were taken for no request; in the middle of a body, its exchange makes the record."""
        refusal, exchange = Refusal(error.reason, str(error)), self._exchange
        if exchange is None:
            self._answer_unread(refusal)
            return
        exchange.fail(ClientGone(refusal.reason))
        if not exchange.has_begun:
            self._answer(self._host.edge.rendered(refusal))
        self.close()

    def _answer_unread(self, refusal: Refusal) -> None:
        if self.connection is not None:
            self._answer(self._host.edge.refuse_unread(self.connection, refusal))
        self.close()

    def _answer(self, answer: Answer) -> None:
        lines = [status_line(answer.status), *[b"%b: %b\r\n" % header for header in answer.headers]]
        self.send(b"".join([*lines, b"connection: close\r\n\r\n", answer.body]))

    def _wake_writer(self) -> None:
        if self._awaiting_room is not None and not self._awaiting_room.done():
            self._awaiting_room.set_result(None)
