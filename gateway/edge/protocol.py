"""gunicorn's HTTP/1.1 protocol made strict: own parser, deadlines on head, body and idling, refusals that are recorded."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from gunicorn.asgi.protocol import ASGIProtocol, BodyReceiver

from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Leaf, TlsFacts
from gateway.edge.deadlines import NEVER
from gateway.edge.handshake import EdgeSslObject
from gateway.edge.parser import StrictParser

if TYPE_CHECKING:
    import asyncio
    import ssl

    from gateway.admission.rendering import Answer
    from gateway.config import GatewaySettings
    from gateway.edge.worker import EdgeWorker
    from gateway.policies.model import Listener

_TOO_LARGE: Final = 431
_FAULT: Final = 500


class ParsedRequest:
    """A request as gunicorn's protocol asks about it."""

    def __init__(self, parser: StrictParser) -> None:
        """Take over what was parsed."""
        target, _, query = parser.path.partition(b"?")
        self.method = parser.method.decode("ascii")
        self.path: bytes = target
        self.query: bytes = query
        self.version = parser.http_version
        self.headers_bytes = parser.asgi_headers
        self.content_length = parser.content_length or 0
        self.chunked = parser.is_chunked
        self._expect_100_continue = parser.expects_continue and parser.http_version == (1, 1)
        self._keeps_alive = parser.should_keep_alive

    def should_close(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return not self._keeps_alive

    def may_upgrade(self) -> bool:
        """Say no: an Upgrade header is hop-by-hop and goes no further (RFC 9110 §7.8 lets a server ignore it)."""
        return False


class EdgeProtocol(ASGIProtocol):  # type: ignore[misc]
    """One connection to a client, from the end of the handshake on."""

    _callback_parser: StrictParser | None
    _current_request: ParsedRequest | None

    def __init__(self, worker: EdgeWorker, listener: Listener, settings: GatewaySettings) -> None:
        """Wait for the connection."""
        super().__init__(worker)
        self._settings = settings
        self._listener = listener
        self._phase_due_at = NEVER
        self._stall_due_at = NEVER
        self._doomed_due_at = NEVER
        self._answer_has_begun = False
        self._is_serving = False
        self.is_too_slow = False
        self.broken_by: str | None = None
        self.connection: Connection | None = None

    # --- the connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Note who is there; the first request's time begins."""
        self.connection = _connection(transport, self._listener)
        self.worker.connected(self)
        self._expect_head()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the exchange, if one is under way."""
        self.worker.disconnected(self)
        self._phase_due_at = self._stall_due_at = self._doomed_due_at = NEVER
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; a head that has begun has to end in time."""
        super().data_received(data)
        parser = self._callback_parser
        if parser is None:
            return
        if parser.has_partial_head and self._phase_due_at > self._now() + self._settings.head_seconds:
            self._expect_head()
        if parser.holds_enough:
            self._pause_reading()  # gunicorn's connection loop resumes it before it turns to the next request

    def pause_writing(self) -> None:
        """Give a client that takes nothing so much time."""
        self._stall_due_at = self._now() + self._settings.stall_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        """Go on."""
        self._stall_due_at = NEVER
        super().resume_writing()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being served."""
        return bool(self._awaiting_request)

    @property
    def is_closing(self) -> bool:
        """Whether it was closed, and the client has not closed in turn."""
        return bool(self._closed)

    def abort(self) -> None:
        """Break off at once."""
        if self.transport is not None:
            self.transport.abort()

    def close_idle(self) -> None:
        """Close, between two requests."""
        self._close_transport()
        if self._request_ready is not None:
            self._request_ready.set()

    def doom(self, *, grace_seconds: float) -> None:
        """Let the next request have its refusal, with its reason, then close; what still runs after the grace is broken off."""
        if self._doomed_due_at == NEVER:
            self._doomed_due_at = self._now() + grace_seconds

    @property
    def has_body_to_discard(self) -> bool:
        """Whether a body is not all here yet."""
        receiver = self._body_receiver
        return receiver is not None and not receiver._complete  # noqa: SLF001 - gunicorn has no other way to ask

    @property
    def client_awaits_continue(self) -> bool:
        """Whether the client sends its body only once it is told to (RFC 9110 §10.1.1)."""
        request = self._current_request
        return request is not None and bool(request._expect_100_continue)  # noqa: SLF001 - gunicorn's name

    # --- deadlines ---

    @property
    def due_at(self) -> float:
        """The nearest deadline."""
        return min(self._phase_due_at, self._stall_due_at, self._doomed_due_at)

    def overdue(self) -> None:
        """End what took too long."""
        now = self._now()
        if self._stall_due_at <= now or (self._doomed_due_at <= now and not self.is_idle):
            self.abort()
        elif self._doomed_due_at <= now:
            self.close_idle()
        else:
            self._phase_is_over()

    def _phase_is_over(self) -> None:
        self._phase_due_at = NEVER
        receiver = self._body_receiver
        if receiver is not None and not receiver._complete:  # noqa: SLF001 - gunicorn has no other way to ask
            self.is_too_slow = True
            receiver._body_wait_expired = True  # noqa: SLF001 - as its own time-out does
            receiver._wake_waiter()  # noqa: SLF001
        elif self._callback_parser is not None and self._callback_parser.has_partial_head:
            self._refuse_unread(Refusal("http.too_slow", "the head did not arrive in time"))
            self.close_idle()
        else:
            self.close_idle()

    def _now(self) -> float:
        return float(self.worker.loop.time())

    def _expect_head(self) -> None:
        self._phase_due_at = self._now() + self._settings.head_seconds

    # --- what gunicorn's protocol calls ---

    def _setup_callback_parser(self) -> None:
        self._callback_parser = StrictParser(
            on_headers_complete=self._on_headers_complete,
            on_body=self._on_body,
            on_message_complete=self._on_message_complete,
            max_head_bytes=self._settings.max_head_bytes,
            max_header_count=self._settings.max_header_count,
        )

    def _on_headers_complete(self) -> bool:
        parser = self._callback_parser
        self._current_request = ParsedRequest(parser) if parser is not None else None
        self._body_receiver = BodyReceiver(self._current_request, self)
        self._answer_has_begun = False
        self._phase_due_at = self._now() + self._settings.body_seconds
        if self._request_ready is not None:
            self._request_ready.set()
        return False

    def _on_message_complete(self) -> None:
        self._phase_due_at = NEVER
        super()._on_message_complete()

    def _arm_keepalive_timer(self) -> None:
        self._phase_due_at = self._now() + self._settings.idle_seconds

    def _cancel_keepalive_timer(self) -> None:
        """Do nothing: the deadline was set anew when the head was complete."""

    def _will_close(self, request: ParsedRequest, response_requires_close: bool) -> bool:  # noqa: FBT001 - gunicorn's signature
        return self._doomed_due_at != NEVER or bool(super()._will_close(request, response_requires_close))

    async def _serve_http_request(self, request: ParsedRequest, sockname: Any, peername: Any) -> bool:  # noqa: ANN401
        # Not in a task of its own, as gunicorn does for applications that go on after their answer: ours does not.
        self._is_serving = True
        try:
            return bool(await self._handle_http_request(request, sockname, peername))
        finally:
            self._is_serving = False

    def _build_http_scope(self, request: ParsedRequest, _sockname: Any, _peername: Any) -> dict[str, object]:  # noqa: ANN401
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1",
            "method": request.method,
            "raw_path": request.path,
            "query_string": request.query,
            "headers": request.headers_bytes,
            "gateway.connection": self.connection,
            "gateway.protocol": self,
        }

    def _send_response_start(self, status: int, headers: Any, request: ParsedRequest, close: bool = False) -> None:  # noqa: ANN401, FBT001, FBT002
        self._answer_has_begun = True
        super()._send_response_start(status, headers, request, close=close)

    def _send_error_response(self, status: int, message: str, _extra_headers: object = ()) -> None:
        """Answer what could not be parsed, in our own words, and record it; gunicorn closes the connection next."""
        if status == _TOO_LARGE:
            refusal = Refusal("http.head_too_large", message)
        else:
            refusal = Refusal("gateway.fault" if status == _FAULT else "http.malformed", message)
        if not self._is_serving or self._body_receiver is None:
            self._refuse_unread(refusal)
            return
        # In the middle of a body: the exchange that reads it makes the record.
        self.broken_by = refusal.reason
        if not self._answer_has_begun:
            self._write_answer(self.worker.edge.rendered(refusal))
        self._body_receiver.signal_disconnect()

    # --- inside ---

    def _refuse_unread(self, refusal: Refusal) -> None:
        if self.connection is not None:
            self._write_answer(self.worker.edge.refuse_unread(self.connection, refusal))

    def _write_answer(self, answer: Answer) -> None:
        lines = [b"HTTP/1.1 %d %b" % (answer.status, HTTPStatus(answer.status).phrase.encode("ascii"))]
        lines += [b"%b: %b" % header for header in answer.headers]
        self._safe_write(b"\r\n".join([*lines, b"connection: close", b"", answer.body]))


_ASGI: Final = {"version": "3.0", "spec_version": "2.4"}


def _connection(transport: asyncio.Transport, listener: Listener) -> Connection:
    peer = transport.get_extra_info("peername") or ("",)
    secured: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if not isinstance(secured, EdgeSslObject):
        return Connection(listener=listener, address=peer[0], tls=None, leaf=None)
    der = secured.getpeercert(binary_form=True)
    cipher = secured.cipher()
    tls = TlsFacts(
        version=secured.version() or "",
        cipher=cipher[0] if cipher else "",
        resumed=bool(secured.session_reused),
        server_name=secured.server_name,
    )
    return Connection(listener=listener, address=peer[0], tls=tls, leaf=Leaf(der) if der else None)
