"""One keep-alive connection to an internal server: an exchange at a time, back-pressure both ways, deadlines on all waits."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

from gateway.edge.deadlines import NEVER
from gateway.edge.upstream.reply import Reply, UnreadableReply
from gateway.edge.upstream.reply_heads import ReplyMemory
from gateway.upstreams.faults import GivenUp, StaleConnection, UpstreamFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.edge.deadlines import Deadlines
    from gateway.edge.upstream.reply_heads import ReplyHead
    from gateway.policies.model import UpstreamDeadlines

_PAUSE_BYTES: Final = 256 * 1024


class UpstreamConnection(asyncio.Protocol):
    """A connection of a pool. Reading stops while the client takes nothing."""

    def __init__(self, deadlines: Deadlines, *, head_seconds: float, stall_seconds: float) -> None:
        """Wait for the connection."""
        self._deadlines = deadlines
        self._usual_seconds = (head_seconds, stall_seconds)
        self._head_seconds, self._stall_seconds = self._usual_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reply: Reply | None = None
        self._memory = ReplyMemory()
        self._fault: UpstreamFault | None = None
        self._awaiting_reply: asyncio.Future[None] | None = None
        self._awaiting_room: asyncio.Future[None] | None = None
        self._is_reading_paused = False
        self._is_writing_paused = False
        self._request_is_sent = False
        self.on_arrival: Callable[[], None] | None = None
        self.exchanges = 0
        self.target = ""
        self.secured_by: ssl.SSLContext | None = None  # what it shook hands with; another one stands once files were renewed
        self.idle_since = 0.0
        self._reply_due_at = self._room_due_at = NEVER

    # --- the exchange ---

    def begin(self, *, is_head_request: bool, deadlines: UpstreamDeadlines | None = None) -> None:
        """Begin an exchange; write the request next. A route's own deadlines go before the pool's."""
        self._head_seconds, self._stall_seconds = self._usual_seconds
        if deadlines is not None:
            self._head_seconds = deadlines.head_seconds or self._head_seconds
            self._stall_seconds = deadlines.stall_seconds or self._stall_seconds
        self._reply = Reply(self._memory, to_head_request=is_head_request)
        self._request_is_sent = False
        self.exchanges += 1

    def write(self, data: bytes, *, last: bool) -> None:
        """Send a piece of the request; after the last, the reply's time begins. Raises `UpstreamFault`."""
        if self._fault is not None:
            raise self._fault
        if self._transport is not None:
            self._transport.write(data)
        self._request_is_sent = last
        if last:
            self._await_reply(self._stall_seconds if self.has_begun else self._head_seconds)

    async def drain(self) -> None:
        """Wait until the server takes more; raises `UpstreamFault`."""
        while self._is_writing_paused and self._fault is None:
            self._room_due_at = self._loop.time() + self._stall_seconds
            self._awaiting_room = self._loop.create_future()
            try:
                await self._awaiting_room
            finally:
                self._room_due_at = NEVER
        if self._fault is not None:
            raise self._fault

    async def reply_head(self) -> ReplyHead:
        """Wait for the reply's head; raises `UpstreamFault`."""
        reply = self._present_reply
        while reply.head is None:
            await self._arrival()
        return reply.head

    async def piece(self) -> bytes:
        """Return what has arrived of the body since; empty at its end only; raises `UpstreamFault`."""
        reply = self._present_reply
        while not reply.buffered and not reply.is_complete:
            await self._arrival()
        return self.take()

    def take(self) -> bytes:
        """Return what is here of the body and was not taken yet."""
        data = self._present_reply.take()
        if self._is_reading_paused:
            self._resume_reading()
        return data

    @property
    def whole_reply(self) -> ReplyHead | None:
        """The head of a reply that is here whole; None as long as it is not, and where anything has gone wrong."""
        reply = self._reply
        return reply.head if reply is not None and reply.is_complete and self._fault is None else None

    @property
    def is_about_to_end(self) -> bool:
        """Whether the rest of the reply is short, and may still come."""
        reply = self._reply
        return reply is not None and self._fault is None and not reply.is_complete and reply.is_short

    @property
    def has_all(self) -> bool:
        """Whether the whole reply has arrived."""
        return self._reply is not None and self._reply.is_complete

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the reply has arrived."""
        return self._reply is not None and self._reply.has_begun

    @property
    def is_open(self) -> bool:
        """Whether nothing has gone wrong with it."""
        return self._fault is None

    @property
    def fault(self) -> UpstreamFault | None:
        """What has gone wrong with it."""
        return self._fault

    @property
    def has_served(self) -> bool | None:
        """Whether the server has done well, None where nothing can be said for or against it."""
        if self._fault is None:
            return True if self.has_all else None
        return None if self.has_all or isinstance(self._fault, GivenUp | StaleConnection) else False

    @property
    def is_reusable(self) -> bool:
        """Whether the next exchange may use this connection.

        Not where its reader left while reading rested: the end of a long reply is here then, and nobody would read on.
        Nor where the server has answered without taking the request: the next one would wait behind the rest of it.
        """
        reply = self._reply
        served = self._request_is_sent and reply is not None and reply.is_complete and reply.keep_alive
        return served and self._fault is None and not self._is_reading_paused and not self._is_writing_paused

    def abort(self, fault: UpstreamFault | None = None) -> None:
        """Close at once; whoever waits is told."""
        self._fail(fault or GivenUp("upstream.reply", "the exchange was given up"))
        if self._transport is not None:
            self._transport.abort()

    # --- what the connection tells ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._deadlines.watch(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange: what has no end yet is truncated."""
        self._deadlines.forget(self)
        detail = str(exc) if exc else "the connection ended"
        is_stale = not self.has_begun and self.exchanges > 1
        # With TLS 1.3 a server that wants another certificate, or any, says so after the handshake (RFC 8446 §4.4.2.4).
        reason = "upstream.tls" if isinstance(exc, ssl.SSLError) and not self.has_begun else "upstream.reply"
        self._fail((StaleConnection if is_stale else UpstreamFault)(reason, detail))

    def data_received(self, data: bytes) -> None:
        """Read a piece of the reply."""
        reply = self._reply
        if reply is None or self.has_all:
            self.abort(UpstreamFault("upstream.reply", "bytes arrived that nobody has asked for"))
            return
        try:
            reply.feed(data)
        except UnreadableReply as error:
            self.abort(UpstreamFault("upstream.reply", f"unreadable reply: {error}"))
            return
        self._await_reply(self._stall_seconds)
        if reply.buffered > _PAUSE_BYTES:
            self._pause_reading()
        self._tell()

    def pause_writing(self) -> None:
        """Let `drain` wait."""
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        """Let `drain` go on."""
        self._is_writing_paused = False
        _wake(self._awaiting_room)

    @property
    def due_at(self) -> float:
        """The nearer deadline: of the reply, or of the server's taking the request."""
        return min(self._reply_due_at, self._room_due_at)

    def overdue(self) -> None:
        """End an exchange that took too long."""
        what = "did not go on" if self.has_begun else "did not begin"
        self.abort(UpstreamFault("upstream.timeout", f"the reply {what} in time"))

    # --- inside ---

    @property
    def _present_reply(self) -> Reply:
        if self._reply is None:
            msg = "no exchange has begun"
            raise RuntimeError(msg)
        return self._reply

    async def _arrival(self) -> None:
        if self._fault is not None:
            raise self._fault
        self._awaiting_reply = self._loop.create_future()
        await self._awaiting_reply

    def _fail(self, fault: UpstreamFault) -> None:
        self._fault = self._fault or fault
        self._reply_due_at = self._room_due_at = NEVER
        _wake(self._awaiting_room)
        self._tell()

    def _tell(self) -> None:
        """Let whoever waits look; last of all, since he may begin the next exchange."""
        _wake(self._awaiting_reply)
        if self.on_arrival is not None:
            self.on_arrival()

    def _await_reply(self, seconds: float) -> None:
        """Give the server so long from now on; no deadline while it waits itself, for the request or for us."""
        is_awaited = self._request_is_sent and not self.has_all and not self._is_reading_paused
        self._reply_due_at = self._loop.time() + seconds if is_awaited else NEVER

    def _pause_reading(self) -> None:
        # The client is slow now, not the server: its deadline rests until we read again.
        if self._transport is not None and not self._is_reading_paused:
            self._is_reading_paused = True
            self._transport.pause_reading()
            self._reply_due_at = NEVER

    def _resume_reading(self) -> None:
        if self._transport is not None and self._fault is None:
            self._is_reading_paused = False
            self._transport.resume_reading()
            self._await_reply(self._stall_seconds)


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
