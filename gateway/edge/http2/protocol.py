"""One connection to a client over HTTP/2 (RFC 9113), from the end of the handshake on: many requests at a time, all bounded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from h2 import events
from h2.connection import ConnectionState
from h2.errors import ErrorCodes
from h2.exceptions import DenialOfServiceError, ProtocolError

from gateway.admission.refusal import Refusal
from gateway.edge.client import Arrival, ClientGone
from gateway.edge.connections import client_connection
from gateway.edge.deadlines import NEVER
from gateway.edge.http1.parser import RefusedRequest
from gateway.edge.http2.frames import LONGEST_FRAME, FrameWatch, TooLongFrame, TooManyFrames
from gateway.edge.http2.framing import MOST_STREAMS, open_frames
from gateway.edge.http2.heads import read_head
from gateway.edge.http2.stream import CONTINUE, StreamExchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.admission.rendering import Answer
    from gateway.admission.request import Connection
    from gateway.config import GatewaySettings
    from gateway.edge.connections import Host
    from gateway.edge.http2.heads import RequestHead
    from gateway.policies.model import Listener

_WRITE_AHEAD_BYTES: Final = 64 * 1024
_RESET_COST: Final = 4.0


class Http2Protocol(asyncio.Protocol):
    """A client's connection; carries its streams (`StreamCarrier`)."""

    def __init__(self, host: Host, listener: Listener, settings: GatewaySettings, *, told_address: str | None = None) -> None:
        """Wait for the connection."""
        self._host = host
        self._listener = listener
        self._settings = settings
        self._told_address = told_address
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames = open_frames(max_head_bytes=settings.max_head_bytes)
        self._watch = FrameWatch(max_head_bytes=settings.max_head_bytes, now=self._loop.time())
        self._streams: dict[int, StreamExchange] = {}
        self._is_writing_paused = False
        self._begun = 0
        self._head_due_at = self._idle_due_at = self._stall_due_at = self._doomed_due_at = NEVER
        self.is_closing = False
        self.connection: Connection | None = None

    # --- the connection ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who is there, and say what we take; the first request's time begins."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._transport.set_write_buffer_limits(high=_WRITE_AHEAD_BYTES)
        self.connection = client_connection(self._transport, self._listener, self._told_address)
        self._host.connected(self)
        self._idle_due_at = self._loop.time() + self._settings.head_seconds
        self._frames.greet()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchanges that are under way."""
        del exc
        self.is_closing = True
        self._host.disconnected(self)
        self._transport = None  # so that its TLS is freed now, and not when garbage is looked for
        self._head_due_at = self._idle_due_at = self._stall_due_at = self._doomed_due_at = NEVER
        self._leave_streams(None)

    def data_received(self, data: bytes) -> None:
        """Read frames; whatever breaks the protocol, or takes too much of us, ends the connection."""
        if self.is_closing:
            return
        try:
            self._watch.feed(data, self._loop.time())
            self._hear(self._frames.receive_data(data))
        except (TooManyFrames, DenialOfServiceError) as error:
            self._end(Refusal("http.flood", str(error)), ErrorCodes.ENHANCE_YOUR_CALM)
        except TooLongFrame as error:
            self._end(Refusal("http.malformed", str(error)), ErrorCodes.FRAME_SIZE_ERROR)
        except ProtocolError as error:
            # The library may quote what it has read; the record says what was wrong with it, no more.
            self._end(Refusal("http.malformed", f"HTTP/2: {type(error).__name__}"), error.error_code)
        else:
            self._watch_head()
            self._send()

    def pause_writing(self) -> None:
        """Give a client that takes nothing so much time, and hear no more of it meanwhile: short answers wait for no window."""
        self._is_writing_paused = True
        if self._transport is not None:
            self._transport.pause_reading()
        self._stall_due_at = self._loop.time() + self._settings.stall_seconds

    def resume_writing(self) -> None:
        """Go on."""
        self._is_writing_paused = False
        if self.is_closing:
            return
        self._stall_due_at = NEVER
        if self._transport is not None:
            self._transport.resume_reading()
        self._pump_all()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being served."""
        return not self._streams

    def close(self) -> None:
        """Say goodbye (GOAWAY), and close once all that was written has gone out; without waiting for that for ever."""
        self._part(ErrorCodes.NO_ERROR)

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
        own = min(self._head_due_at, self._idle_due_at, self._stall_due_at, self._doomed_due_at)
        return min([own, *(min(stream.body_due_at, stream.stall_due_at) for stream in self._streams.values())])

    def overdue(self) -> None:
        """End what took too long."""
        now = self._loop.time()
        if self._stall_due_at <= now or (self._doomed_due_at <= now and not self.is_idle):
            self.abort()
        elif self._head_due_at <= now:
            self._end(Refusal("http.too_slow", "the head did not arrive in time"), ErrorCodes.NO_ERROR)
        elif min(self._idle_due_at, self._doomed_due_at) <= now:
            self.close()
        else:
            self._end_overdue_streams(now)

    def _end_overdue_streams(self, now: float) -> None:
        for stream in tuple(self._streams.values()):
            if stream.stall_due_at <= now:
                self.reset(stream)
            elif stream.body_due_at <= now:
                stream.body_due_at = NEVER
                stream.fail(Refusal("http.too_slow", "the body did not arrive in time"))

    # --- what the client says ---

    def _hear(self, heard: Sequence[events.Event]) -> None:
        """Act on what has come; not on what came with a goodbye (GOAWAY), after which the library sends nothing more."""
        if heard and isinstance(heard[-1], events.ConnectionTerminated):
            self.close()
            return
        for event in heard:
            self._heard(event)

    def _heard(self, event: events.Event) -> None:
        if isinstance(event, events.RequestReceived):
            self._request_arrived(event)
        elif isinstance(event, events.DataReceived):
            self._data_arrived(event)
        elif isinstance(event, events.StreamEnded):
            if event.stream_id in self._streams:
                self._streams[event.stream_id].body_ended()
        elif isinstance(event, events.StreamReset):
            self._stream_was_reset(event)
        elif isinstance(event, (events.WindowUpdated, events.RemoteSettingsChanged)):
            self._frames.bound_table()
            self._pump_all()

    def _request_arrived(self, event: events.RequestReceived) -> None:
        number = event.stream_id
        if self._host.is_stopping or self.is_closing or len(self._streams) >= MOST_STREAMS:
            self._frames.reset(number, ErrorCodes.REFUSED_STREAM)  # not begun: to be asked elsewhere (§8.7)
            return
        settings = self._settings
        try:
            request = read_head(
                event.headers,
                self._host.heads,
                max_bytes=settings.max_head_bytes,
                max_count=settings.max_header_count,
                has_ended=event.stream_ended is not None,
            )
        except RefusedRequest as error:
            self._answer_unread(number, Refusal(error.reason, str(error)), has_ended=event.stream_ended is not None)
            return
        self._begin(number, request)

    def _begin(self, number: int, request: RequestHead) -> None:
        if self.connection is None:
            return
        self._idle_due_at = NEVER
        stream = self._streams[number] = StreamExchange(self, number, request)
        stream.body_due_at = self._loop.time() + self._settings.body_seconds
        arrival = Arrival(
            connection=self.connection, method=request.method, path=request.path, query=request.query, head=request.head
        )
        stream.task = self._loop.create_task(self._serve(stream, arrival))

    def _data_arrived(self, event: events.DataReceived) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            self._frames.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        else:
            stream.body_arrived(event.data, event.flow_controlled_length)

    def _stream_was_reset(self, event: events.StreamReset) -> None:
        """End the exchange. That a client makes us reset its stream is paid for as if it had done it (CVE-2025-8671)."""
        if not event.remote_reset:
            self._watch.spend(_RESET_COST)
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            self._leave(stream, None)

    def _watch_head(self) -> None:
        begun, self._begun = self._begun, self._watch.begun
        if not self._watch.has_partial_head:
            self._head_due_at = NEVER
        elif self._head_due_at == NEVER or begun != self._begun:
            self._head_due_at = self._loop.time() + self._settings.head_seconds

    # --- `StreamCarrier` ---

    def inform(self, stream: StreamExchange) -> None:
        """Send 100 Continue."""
        if self._can_send(stream):
            self._frames.send_headers(stream.number, CONTINUE)
            self._send()

    def begin_answer(self, stream: StreamExchange, headers: list[tuple[bytes, bytes]], *, last: bool) -> None:
        """Send the answer's head."""
        if self._can_send(stream):
            self._frames.send_headers(stream.number, headers, end_stream=last)
            self._send()

    def pump(self, stream: StreamExchange) -> None:
        """Send what the windows allow; a stream whose window stays shut has a deadline."""
        progress = False
        while stream.is_waiting and self._can_send(stream) and not self._is_writing_paused:
            window = self._frames.local_flow_control_window(stream.number)
            size = min(window, len(stream.pending), LONGEST_FRAME, self._frames.max_outbound_frame_size)
            if size <= 0 and stream.pending:
                break
            piece, stream.pending = stream.pending[:size], stream.pending[size:]
            ends = stream.ends_with_pending and not stream.pending
            stream.ends_with_pending = stream.ends_with_pending and not ends
            self._frames.send_data(stream.number, piece, end_stream=ends)
            self._watch.earn(len(piece))
            self._send()
            progress = True
        if progress:
            self._streams[stream.number] = self._streams.pop(stream.number)  # the next time, all others go before it
        if not stream.is_waiting:
            stream.stall_due_at = NEVER
            stream.room_came()
        elif progress or stream.stall_due_at == NEVER:
            stream.stall_due_at = self._loop.time() + self._settings.stall_seconds

    def taken(self, stream: StreamExchange, size: int) -> None:
        """Let the client send as much again."""
        if size and not self.is_closing:
            self._frames.acknowledge_received_data(size, stream.number)
            self._send()

    def reset(self, stream: StreamExchange) -> None:
        """Break the answer off."""
        if self._can_send(stream):
            self._frames.reset(stream.number, ErrorCodes.INTERNAL_ERROR)
            self._send()
        self._leave(stream, None)

    # --- inside ---

    async def _serve(self, stream: StreamExchange, arrival: Arrival) -> None:
        try:
            await self._host.edge.serve(arrival, stream)
        except ClientGone:
            return
        finally:
            self._ended(stream)

    def _ended(self, stream: StreamExchange) -> None:
        """Close what is left of a stream; a body that nobody wants is not sent on (RFC 9113 §8.1)."""
        self._streams.pop(stream.number, None)
        if self.is_closing:
            return
        self.taken(stream, stream.untaken)
        if not stream.is_gone:
            if not stream.has_ended:
                self._frames.reset(stream.number, ErrorCodes.INTERNAL_ERROR)
            elif not stream.body_is_whole:
                self._frames.reset(stream.number, ErrorCodes.NO_ERROR)
            self._watch.answered()
        self._send()
        if not self._streams:
            self._idle_due_at = self._loop.time() + self._settings.idle_seconds
            if self._doomed_due_at != NEVER or self._host.is_stopping:
                self.close()

    def _leave(self, stream: StreamExchange, reason: str | None) -> None:
        """End an exchange whose stream is no more."""
        if not stream.is_gone:
            stream.gone(reason)
            if stream.task is not None:
                # Behind the task's own beginning: an exchange that has never begun would leave no record.
                self._loop.call_soon(stream.task.cancel)

    def _leave_streams(self, reason: str | None) -> None:
        for stream in tuple(self._streams.values()):
            self._leave(stream, reason)

    def _answer_unread(self, number: int, refusal: Refusal, *, has_ended: bool) -> None:
        """Answer what was taken for no request; the other streams go on. It costs the client as much as a reset does."""
        if self.connection is None:
            return
        self._watch.spend(_RESET_COST)
        answer: Answer = self._host.edge.refuse_unread(self.connection, refusal)
        if not self._frames.is_open(number):
            return
        headers = [(name.lower(), value) for name, value in answer.headers]
        self._frames.send_headers(number, [(b":status", b"%d" % answer.status), *headers])
        fits = self._frames.local_flow_control_window(number) >= len(answer.body)
        if fits:
            self._frames.send_data(number, answer.body, end_stream=True)
        if not has_ended or not fits:
            self._frames.reset(number, ErrorCodes.NO_ERROR)

    def _end(self, refusal: Refusal, code: ErrorCodes | int) -> None:
        """Record why, say so, and close; what was under way is broken off for the same reason."""
        if self.connection is not None:
            self._host.edge.refuse_unread(self.connection, refusal)
        self._leave_streams(refusal.reason)
        self._part(code)

    def _part(self, code: ErrorCodes | int) -> None:
        if self.is_closing:
            return
        if self._frames.state_machine.state is not ConnectionState.CLOSED:
            self._frames.close_connection(code)
        self._send()
        self.is_closing = True
        self._head_due_at = self._idle_due_at = NEVER
        self._stall_due_at = self._loop.time() + self._settings.stall_seconds
        self._leave_streams(None)
        if self._transport is not None:
            self._transport.close()

    def _can_send(self, stream: StreamExchange) -> bool:
        return not stream.is_gone and not self.is_closing and self._frames.is_open(stream.number)

    def _pump_all(self) -> None:
        for stream in tuple(self._streams.values()):
            if stream.is_waiting:
                self.pump(stream)

    def _send(self) -> None:
        data = self._frames.data_to_send()
        if data and self._transport is not None and not self.is_closing:
            self._transport.write(data)
