"""One exchange with a client over HTTP/1.1: its body piece by piece, and the answer, framed and written (RFC 9112 §6)."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from gateway.admission.refusal import Refusal
from gateway.edge.answer_fields import NO_FIELDS
from gateway.edge.client import ClientGone

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.edge.answer_fields import AnswerFields
    from gateway.edge.http1.parser import RequestParser

_NO_BODY: Final = frozenset({204, 304})
_NO_CONTENT: Final = 204
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# A refused client may still be sending: taking a little of that lets it read the answer before the connection ends.
_MOST_DISCARDED_BYTES: Final = 1024 * 1024
_DISCARD_SECONDS: Final = 2.0
_HELD_BYTES: Final = 256 * 1024


class ExchangeCarrier(Protocol):
    """The connection, as its exchange sees it."""

    def send(self, data: bytes) -> None:
        """Write to the client."""

    @property
    def is_full(self) -> bool:
        """Whether the client takes nothing at the moment, or is gone."""

    def drain(self) -> Coroutine[object, object, None]:
        """Wait while the client takes nothing; raises `ClientGone`."""

    def hold_reading(self) -> None:
        """Read no more for now."""

    def go_on_reading(self) -> None:
        """Read on."""

    def abort(self) -> None:
        """Break off."""

    def finished(self) -> None:
        """Turn to the next request."""

    def go_on(self, work: Coroutine[object, object, None]) -> None:
        """Run what is left of the exchange."""

    @property
    def will_close(self) -> bool:
        """Whether the connection ends after this answer for reasons of its own."""


class HttpExchange:
    """`SwiftClient` of the core, on one request of a connection."""

    def __init__(self, carrier: ExchangeCarrier, parser: RequestParser) -> None:
        """Begin, as soon as the head is there."""
        self._carrier = carrier
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._awaiting: asyncio.Future[None] | None = None
        self._awaits_continue = parser.head.awaits_continue and parser.version == (1, 1)
        self._failure: Exception | None = None
        self._is_long = parser.head.content_length > _MOST_DISCARDED_BYTES
        self._is_head = parser.method == "HEAD"
        self._is_old = parser.version == (1, 0)
        self._keeps_its_body = False
        self._is_chunked = False
        self._omits_body = False
        self._answer_head = b""
        self.body_is_whole = False
        self.body_has_ended = False
        self.has_begun = False
        self.has_ended = False
        self.must_close = not parser.keeps_alive

    # --- the request's body: what the connection tells ---

    def body_arrived(self, piece: bytes) -> None:
        """Keep a piece until it is read."""
        self._pieces.append(piece)
        self._buffered += len(piece)
        self._awaits_continue = False
        if self._buffered > _HELD_BYTES:
            self._carrier.hold_reading()
        self._wake()

    def body_ended(self) -> None:
        """Note that the body is whole."""
        self.body_is_whole = True
        self._wake()

    def fail(self, failure: Exception) -> None:
        """Let whoever reads the body have this instead: `ClientGone`, or a `Refusal`."""
        self._failure = failure
        self._wake()

    # --- `Client` ---

    @property
    def broken_by(self) -> str | None:
        """The ground on which we ended the connection ourselves, if we did."""
        return self._failure.reason if isinstance(self._failure, ClientGone) else None

    async def read(self) -> bytes:
        """Return what has arrived of the body since; raises `ClientGone`, `Refusal`."""
        while not self._pieces and not self.body_is_whole:
            if self._failure is not None:
                raise self._failure
            self._ask_for_body()
            self._awaiting = asyncio.get_running_loop().create_future()
            await self._awaiting
        return self.arrived()

    def arrived(self) -> bytes:
        """Return what has arrived of the body since, which may be nothing yet."""
        pieces, self._pieces, self._buffered = self._pieces, [], 0
        self.body_has_ended = self.body_is_whole
        self._carrier.go_on_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def start(self, status: int, headers: list[tuple[bytes, bytes]], same: AnswerFields = NO_FIELDS) -> None:
        """Prepare the answer's head; it goes out with the first piece of the body."""
        self.has_begun = True
        self._keeps_its_body = self._awaits_continue
        self._awaits_continue = False
        if not self.body_is_whole and (self._keeps_its_body or self._is_long):
            self.must_close = True  # nobody will read it to its end: the client is told (RFC 9112 §9.6)
        if status == _NO_CONTENT:
            headers, same = [*same.fields, *headers], NO_FIELDS  # there is one of them that it must not have
        parts = [status_line(status), same.lines]
        is_counted, is_dated = same.is_counted, same.is_dated
        self._omits_body = self._is_head or status in _NO_BODY
        for name, value in headers:
            if name == b"content-length":
                if status == _NO_CONTENT:
                    continue
                is_counted = True
            elif name == b"date":
                is_dated = True
            parts.append(b"%b: %b\r\n" % (name, value))
        if not is_dated:
            parts.append(b"date: %b\r\n" % formatdate(usegmt=True).encode("ascii"))
        if not is_counted and not self._omits_body:
            self._frame(parts)
        self.must_close = self.must_close or self._carrier.will_close
        parts.append(b"connection: close\r\n\r\n" if self.must_close else b"\r\n")
        self._answer_head = b"".join(parts)

    def write(self, data: bytes, *, last: bool) -> None:
        """Send a piece."""
        if self._omits_body:
            data = b""
        elif self._is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            data = chunk + b"0\r\n\r\n" if last else chunk
        if self._answer_head:
            data, self._answer_head = self._answer_head + data, b""
        self._carrier.send(data)
        self.has_ended = last

    async def drain(self) -> None:
        """Wait while the client takes nothing; raises `ClientGone`."""
        if self._carrier.is_full:
            await self._carrier.drain()

    def abort(self) -> None:
        """Break the connection off."""
        self._carrier.abort()

    @property
    def is_full(self) -> bool:
        """Whether the client takes nothing at the moment, or is gone."""
        return self._carrier.is_full

    def finished(self) -> None:
        """Let the connection turn to the next request."""
        self._carrier.finished()

    def go_on(self, work: Coroutine[object, object, None]) -> None:
        """Let the connection run what is left of the exchange."""
        self._carrier.go_on(work)

    # --- afterwards ---

    async def discard_rest(self) -> None:
        """Take what is left of a body that nobody wants, within limits; a client that was never told to send it keeps it."""
        if self._keeps_its_body:
            return
        left = _MOST_DISCARDED_BYTES
        try:
            async with asyncio.timeout(_DISCARD_SECONDS):
                while left > 0 and not self.body_has_ended:
                    left -= len(await self.read())
        except (TimeoutError, Refusal):
            return

    # --- inside ---

    def _ask_for_body(self) -> None:
        if self._awaits_continue:
            self._awaits_continue = False
            self._carrier.send(_CONTINUE)

    def _frame(self, parts: list[bytes]) -> None:
        if self._is_old:
            self.must_close = True  # its end is the connection's
            return
        self._is_chunked = True
        parts.append(b"transfer-encoding: chunked\r\n")

    def _wake(self) -> None:
        if self._awaiting is not None and not self._awaiting.done():
            self._awaiting.set_result(None)


_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus}


def status_line(status: int) -> bytes:
    """Return an answer's first line; of an unknown status without a phrase, which may be empty (RFC 9112 §4)."""
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
