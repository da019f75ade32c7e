"""One exchange with a client over a stream of HTTP/2: its body piece by piece, and the answer as its windows let it go."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, Protocol

from gateway.edge.answer_fields import NO_FIELDS
from gateway.edge.client import ClientGone
from gateway.edge.deadlines import NEVER

if TYPE_CHECKING:
    from gateway.edge.answer_fields import AnswerFields
    from gateway.edge.http2.heads import RequestHead

_NO_BODY: Final = frozenset({204, 304})
_NO_CONTENT: Final = 204
CONTINUE: Final = [(b":status", b"100")]


class StreamCarrier(Protocol):
    """The connection, as its streams see it."""

    def inform(self, stream: StreamExchange) -> None:
        """Send 100 Continue."""

    def begin_answer(self, stream: StreamExchange, headers: list[tuple[bytes, bytes]], *, last: bool) -> None:
        """Send the answer's head."""

    def pump(self, stream: StreamExchange) -> None:
        """Send what the windows allow of `pending`."""

    def taken(self, stream: StreamExchange, size: int) -> None:
        """Let the client send as much again."""

    def reset(self, stream: StreamExchange) -> None:
        """Break the answer off."""


class StreamExchange:
    """`Client` of the core, on one stream."""

    def __init__(self, carrier: StreamCarrier, number: int, request: RequestHead) -> None:
        """Begin; the body follows, if there is one."""
        self._carrier = carrier
        self._pieces: list[bytes] = []
        self._awaiting_body: asyncio.Future[None] | None = None
        self._awaiting_room: asyncio.Future[None] | None = None
        self._awaits_continue = request.head.awaits_continue
        self._failure: Exception | None = None
        self._is_head = request.method == "HEAD"
        self._omits_body = False
        self._answer_head: list[tuple[bytes, bytes]] = []
        self.number = number
        self.task: asyncio.Task[None] | None = None
        self.untaken = 0  # octets of the client's window that its body holds
        self.pending = b""
        self.ends_with_pending = False
        self.body_is_whole = False
        self.body_has_ended = False
        self.has_ended = False
        self.is_gone = False
        self.body_due_at = NEVER
        self.stall_due_at = NEVER

    # --- what the connection tells ---

    def body_arrived(self, piece: bytes, held: int) -> None:
        """Keep a piece until it is read; `held` octets of the window are its."""
        if piece:
            self._pieces.append(piece)
        self.untaken += held
        self._awaits_continue = False
        _wake(self._awaiting_body)

    def body_ended(self) -> None:
        """Note that the body is whole."""
        self.body_is_whole = True
        self.body_due_at = NEVER
        _wake(self._awaiting_body)

    def fail(self, failure: Exception) -> None:
        """Let whoever reads the body have this instead: a `Refusal`."""
        self._failure = failure
        _wake(self._awaiting_body)

    def gone(self, reason: str | None = None) -> None:
        """Note that the stream is no more, for `reason` where it was our doing."""
        self.is_gone = True
        self.pending = b""
        self.stall_due_at = self.body_due_at = NEVER
        self._failure = ClientGone(reason)
        _wake(self._awaiting_body)
        _wake(self._awaiting_room)

    def room_came(self) -> None:
        """Let whoever waits for room go on."""
        _wake(self._awaiting_room)

    # --- `Client` ---

    @property
    def broken_by(self) -> str | None:
        """The ground on which we ended the stream ourselves, if we did."""
        return self._failure.reason if isinstance(self._failure, ClientGone) else None

    async def read(self) -> bytes:
        """Return what has arrived of the body since; raises `ClientGone`, `Refusal`."""
        while not self._pieces and not self.body_is_whole:
            if self._failure is not None:
                raise self._failure
            if self._awaits_continue:
                self._awaits_continue = False
                self._carrier.inform(self)
            self._awaiting_body = asyncio.get_running_loop().create_future()
            await self._awaiting_body
        pieces, self._pieces = self._pieces, []
        held, self.untaken = self.untaken, 0
        self.body_has_ended = self.body_is_whole
        self._carrier.taken(self, held)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def start(self, status: int, headers: list[tuple[bytes, bytes]], same: AnswerFields = NO_FIELDS) -> None:
        """Prepare the answer's head; it goes out with the first piece of the body."""
        self._awaits_continue = False
        self._omits_body = self._is_head or status in _NO_BODY
        head = [(b":status", b"%d" % status)]
        head += [
            (name.lower(), value)
            for name, value in (*same.fields, *headers)
            if status != _NO_CONTENT or name != b"content-length"
        ]
        if not any(name == b"date" for name, _ in head):
            head.append((b"date", formatdate(usegmt=True).encode("ascii")))
        self._answer_head = head

    def write(self, data: bytes, *, last: bool) -> None:
        """Send a piece."""
        if self._omits_body:
            data = b""
        head, self._answer_head = self._answer_head, []
        ends_with_head = last and not data and bool(head)
        if head:
            self._carrier.begin_answer(self, head, last=ends_with_head)
        self.has_ended = last
        if not ends_with_head and (data or last):
            self.pending += data
            self.ends_with_pending = last
            self._carrier.pump(self)

    @property
    def is_waiting(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self.pending) or self.ends_with_pending

    async def drain(self) -> None:
        """Wait until what was written has gone out; raises `ClientGone`."""
        while self.is_waiting and not self.is_gone:
            self._awaiting_room = asyncio.get_running_loop().create_future()
            await self._awaiting_room
        if self.is_gone:
            raise self._failure or ClientGone

    def abort(self) -> None:
        """Break the stream off."""
        self._carrier.reset(self)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
