"""Forwards an admitted request to its internal server and the reply to the client, streaming both ways."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from chassis.told.fault_orders import read_fault_order
from chassis.told.refusals import UnreadableRefusal, read_refusal_header
from gateway.admission.refusal import Refusal
from gateway.audit.exchange import FAILED, REFUSED
from gateway.edge.answer_fields import NO_FIELDS
from gateway.edge.response_signing import gathered
from gateway.edge.upstream.head import foreign_head, new_fields, passed_fields, upstream_head
from gateway.edge.upstream.reply_heads import FAULT_ORDER, TOLD_REFUSAL
from gateway.limits.addresses import counted_address
from gateway.policies.model import SignatureRule, Upstream
from gateway.upstreams.faults import GivenUp, StaleConnection, UpstreamFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chassis.told.fault_orders import FaultOrder
    from gateway.admission.signatures import SignatureVerdict
    from gateway.audit.exchange import Exchange
    from gateway.edge.answer_fields import AnswerFields
    from gateway.edge.client import Client
    from gateway.edge.client_head import ClientHead
    from gateway.edge.held_answers import HeldAnswers
    from gateway.edge.held_bodies import HeldBodies, HeldBody
    from gateway.edge.response_signing import Signing
    from gateway.edge.slow_clients import SlowClients
    from gateway.edge.upstream.connection import UpstreamConnection
    from gateway.edge.upstream.pool import Pool
    from gateway.edge.upstream.reply_heads import ReplyHead

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_WAITED_FOR_BYTES: Final = 256 * 1024  # the largest body that any internal server takes (the bank's)
_SOON: Final = ((b"retry-after", b"1"),)
_PASSING: Final = frozenset({"upstream.connect", "upstream.busy"})
# Whose word on a refusal stands in the log: theirs who judge TPPs' requests.
_BELIEVED: Final = frozenset({Upstream.BANK, Upstream.AUTHORIZATION})
_FIRST_OTHER_STATUS: Final = 300  # a refusal may be a redirect (RFC 6749 §4.1.2.1)
_FIRST_SERVER_ERROR: Final = 500


@dataclass(slots=True)
class Forwarding:
    """One exchange being forwarded. `record` writes its audit record; it is called before the answer ends."""

    exchange: Exchange
    head: ClientHead
    client: Client
    pool: Pool
    max_body_bytes: int
    monotonic: Callable[[], float]
    record: Callable[[Exchange], None]
    judge_signature: Callable[[Exchange, ClientHead, bytes], Awaitable[SignatureVerdict | None]]
    held_answers: HeldAnswers
    held_bodies: HeldBodies
    untaken: HeldBodies
    slow_clients: SlowClients
    signing: Signing | None = None
    _upload_fault: Exception | None = None
    _held: tuple[ReplyHead, FaultOrder | None] | None = None

    async def run(self) -> None:
        """Do it; raises `Refusal` while nothing has been answered yet, `UpstreamFault` after, `ClientGone`."""
        self._require_size(self.head.content_length)
        if not self.head.has_body:
            await self._go(b"")
            return
        with self.held_bodies.body(self._holder) as held:
            await self._go(await self._beginning(held))

    async def _go(self, first: bytes) -> None:
        verdict = await self._signature_verdict(first)
        request = self._upstream_head(verdict)
        await self._finish(request, first, None)

    # --- the straight way (`Passage`) ---

    @property
    def is_plain(self) -> bool:
        """Whether there is neither a body of unknown or unwanted length nor a signature to judge or make."""
        is_bounded = not self.head.is_chunked and self.head.content_length <= self._most_bytes
        return is_bounded and not self._wants_signature and self.signing is None

    def plain_request(self, body: bytes) -> bytes:
        """Return what the server gets of a plain request, which has no more of a body than this."""
        self.exchange.received_bytes += len(body)
        return self._upstream_head() + body

    def ask(self, connection: UpstreamConnection, request: bytes) -> None:
        """Send a plain request; raises `UpstreamFault`."""
        self._begin(connection)
        connection.write(request, last=True)

    def can_answer_at_once(self, connection: UpstreamConnection) -> bool:
        """Whether the whole reply is here, and no fault order holds it back."""
        reply = connection.whole_reply
        return reply is not None and self._fault_order(reply) is None

    def answer_at_once(self, connection: UpstreamConnection) -> None:
        """Answer with a reply that is here whole, in the order of the other way; raises `OSError` where it goes unrecorded."""
        reply = connection.whole_reply
        if reply is None:
            msg = "there is no whole reply"
            raise RuntimeError(msg)
        self.exchange.replied_at = self.monotonic()
        body = connection.take()
        self.pool.release(connection)
        self._start(reply, whole_length=len(body))
        self._end(body)

    async def until_taken(self) -> None:
        """Wait until the client has taken an answer that was written whole; raises `Refusal`, `ClientGone`."""
        await self._drain(self.exchange.sent_bytes)

    async def go_on(self, connection: UpstreamConnection, request: bytes) -> None:
        """Go on where the straight way has ended: `connection` has been asked."""
        await self._finish(request, b"", connection)

    # --- inside ---

    def _upstream_head(self, verdict: SignatureVerdict | None = None) -> bytes:
        pool = self.pool
        if pool.passes_identity:
            return upstream_head(self.exchange.request, self.head, self.exchange.admission, verdict, host=pool.host)
        return foreign_head(self.exchange.request, self.head, self.exchange.admission, host=pool.host)

    async def _finish(self, request: bytes, first: bytes, asked: UpstreamConnection | None) -> None:
        try:
            rest = await self._attempts(request, first, asked)
        except UpstreamFault as fault:
            if self._upload_fault is not None:
                raise self._upload_fault from fault
            if self.exchange.status:
                raise
            headers = _SOON if fault.reason in _PASSING else ()
            raise Refusal(fault.reason, str(fault), headers=headers) from fault
        if self._held is not None:
            await self._let_go(*self._held, rest)
        # The connection serves others again while a slow client still takes the end of its answer.
        self._end(rest)
        await self._drain(len(rest))

    async def _drain(self, size: int) -> None:
        with self.untaken.body(self._holder) as held:
            held.grow(size)
            await self.client.drain()

    def _end(self, rest: bytes) -> None:
        self.exchange.sent_bytes += len(rest)
        self.record(self.exchange)
        self.client.write(rest, last=True)

    async def _signature_verdict(self, body: bytes) -> SignatureVerdict | None:
        """Have the signature judged, over a body that is here whole: nothing of it has gone on yet."""
        if not self._wants_signature:
            return None
        is_whole = not self.head.has_body or self.client.body_has_ended
        if not is_whole or len(body) > _WAITED_FOR_BYTES:
            text = f"The body of a signed request may have at most {_WAITED_FOR_BYTES} bytes."
            raise Refusal("http.body_too_large", f"signed, more than {_WAITED_FOR_BYTES} bytes", public_text=text)
        return await self.judge_signature(self.exchange, self.head, body)

    @property
    def _wants_signature(self) -> bool:
        route = self.exchange.admission.route
        if route is None:
            return False
        if route.signature is SignatureRule.REQUIRED or route.message_signatures is SignatureRule.REQUIRED:
            return True
        if self.head.signed is None:
            return False
        by_key = route.message_signatures is not SignatureRule.OFF and self.head.bears_message_signature
        return by_key or (route.signature is not SignatureRule.OFF and self.head.bears_seal)

    async def _beginning(self, held: HeldBody) -> bytes:
        """Return the body as far as it is waited for: whole, where it is no larger than internal servers take it.

        A server reads a body in one of its few threads: slow clients, whom nobody has to know, would hold all of them.
        """
        pieces: list[bytes] = []
        waited_for = max(_WAITED_FOR_BYTES, self._own_limit or 0)
        while not self.client.body_has_ended and self.exchange.received_bytes < waited_for:
            pieces.append(await self._read_body())
            held.grow(len(pieces[-1]))
        return b"".join(pieces)

    async def _attempts(self, request: bytes, first: bytes, asked: UpstreamConnection | None) -> bytes:
        """Return the last piece of the reply's body, not yet sent to the client."""
        failed = ""
        for attempt in range(1, self.pool.attempts + 1):
            is_asked, connection = asked is not None, asked
            if connection is None and attempt == 1:
                connection = self.pool.idle_connection()
            if connection is None:
                connection = await self.pool.connection(after=failed)
            asked = None
            try:
                return await (self._reply(connection) if is_asked else self._over(connection, request, first))
            except UpstreamFault as fault:
                if attempt == self.pool.attempts or not self._may_repeat(fault):
                    raise
                self.exchange.retried = True
                failed = connection.target
            finally:
                self.pool.release(connection)
        raise UpstreamFault("upstream.reply", "no attempt was made")

    def _may_repeat(self, fault: UpstreamFault) -> bool:
        """Whether sending it twice does no harm (RFC 9110 §9.2.2), may help, and we still have all of it."""
        may_help = isinstance(fault, StaleConnection) or (self.pool.has_others and not isinstance(fault, GivenUp))
        whole = not self.head.has_body or self.client.body_has_ended
        return may_help and self.exchange.request.method in _IDEMPOTENT and whole and not self.exchange.status

    async def _over(self, connection: UpstreamConnection, request: bytes, first: bytes) -> bytes:
        """Exchange request and reply, but for the last piece of the reply's body, which is returned."""
        if not self.head.has_body:
            self.ask(connection, request)
            return await self._reply(connection)
        self._begin(connection)
        is_whole = self.client.body_has_ended
        connection.write(request + self._framed(first, last=is_whole), last=is_whole)
        if is_whole:
            return await self._reply(connection)
        upload = asyncio.get_running_loop().create_task(self._upload(connection))
        try:
            return await self._reply(connection)
        finally:
            upload.cancel()

    def _begin(self, connection: UpstreamConnection) -> None:
        route = self.exchange.admission.route
        deadlines = route.deadlines if route is not None else None
        self.exchange.target = connection.target
        connection.begin(is_head_request=self.exchange.request.method == "HEAD", deadlines=deadlines)

    async def _upload(self, connection: UpstreamConnection) -> None:
        try:
            while not self.client.body_has_ended:
                await connection.drain()
                piece = await self._read_body()
                ended = self.client.body_has_ended
                connection.write(self._framed(piece, last=ended), last=ended)
        except UpstreamFault:
            return  # whoever waits for the reply is told
        except Exception as error:  # noqa: BLE001 - raised again by `run`, once the wait for the reply is over
            self._upload_fault = error
            connection.abort()

    async def _read_body(self) -> bytes:
        piece = await self.client.read()
        self.exchange.received_bytes += len(piece)
        self._require_size(self.exchange.received_bytes)
        return piece

    @property
    def _own_limit(self) -> int | None:
        """The route's own bound of bodies, where it has one."""
        route = self.exchange.admission.route
        return None if route is None else route.max_body_bytes

    @property
    def _most_bytes(self) -> int:
        return self._own_limit or self.max_body_bytes

    def _require_size(self, size: int) -> None:
        most = self._most_bytes
        if size > most:
            text = f"The request's body is too large; at most {most} bytes are taken."
            raise Refusal("http.body_too_large", f"{size} bytes", public_text=text)

    def _framed(self, piece: bytes, *, last: bool) -> bytes:
        if not self.head.is_chunked:
            return piece
        chunk = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
        return chunk + b"0\r\n\r\n" if last else chunk

    async def _reply(self, connection: UpstreamConnection) -> bytes:
        reply = await connection.reply_head()
        self.exchange.replied_at = self.monotonic()
        piece = await connection.piece()
        order = self._fault_order(reply)
        if order is not None:
            return await self._held_back(connection, reply, order, piece)
        if self.signing is not None:
            piece = await gathered(connection, piece, most_bytes=self.signing.most_bytes)
            if connection.has_all and len(piece) <= self.signing.most_bytes:
                self._held = (reply, None)
                return piece
            self.signing.require_unsigned()
        self._start(reply, whole_length=len(piece) if connection.has_all else None)
        while not connection.has_all:
            self.exchange.sent_bytes += len(piece)
            self.client.write(piece, last=False)
            await self.slow_clients.wait_for(self.client.drain, holder=self._holder)
            piece = await connection.piece()
        return piece

    @property
    def _holder(self) -> str:
        """Whose client it is: the TPP's, or whoever's address that is."""
        tpp = self.exchange.admission.tpp
        address = self.exchange.request.connection.address
        return counted_address(address) if tpp is None else str(tpp.authorisation_number)

    def _start(self, reply: ReplyHead, *, whole_length: int | None) -> None:
        self._begin_answer(reply, self._own_headers(reply, whole_length=whole_length), passed_fields(reply))

    def _own_headers(self, reply: ReplyHead, *, whole_length: int | None) -> list[tuple[bytes, bytes]]:
        headers = new_fields(reply, self.exchange.request) + self.exchange.limit_headers
        if whole_length and b"content-length" not in reply.own:
            headers.append((b"content-length", b"%d" % whole_length))  # it came in chunks, and all of it is here
        return headers

    def _begin_answer(self, reply: ReplyHead, headers: list[tuple[bytes, bytes]], same: AnswerFields = NO_FIELDS) -> None:
        self.exchange.status = reply.status
        self._note_told_refusal(reply)
        self.client.start(reply.status, headers, same)

    def _fault_order(self, reply: ReplyHead) -> FaultOrder | None:
        """Return what the bank asks for where the TPP has set a fault; nobody else is believed."""
        orders = reply.own.get(FAULT_ORDER)
        return read_fault_order(orders[0]) if orders and self.pool.service is Upstream.BANK else None

    async def _held_back(self, connection: UpstreamConnection, reply: ReplyHead, order: FaultOrder, piece: bytes) -> bytes:
        """Take the whole answer, so that the connection serves others while this one waits (`_let_go`)."""
        self._held = (reply, order)
        pieces = [piece]
        while not connection.has_all:
            pieces.append(await connection.piece())
        return b"".join(pieces)

    async def _let_go(self, reply: ReplyHead, order: FaultOrder | None, body: bytes) -> None:
        """Begin an answer that is here whole, once its time has come, and signed where it is to be; raises `Refusal`."""
        if order is not None:
            await self._let_time_pass(reply, order)
        headers = [*passed_fields(reply).fields, *self._own_headers(reply, whole_length=len(body))]
        if self.signing is not None and len(body) > self.signing.most_bytes:
            self.signing.require_unsigned()
        elif self.signing is not None:
            headers, self.exchange.answer_keyid = await self.signing.signed(reply.status, headers, body)
        self._begin_answer(reply, headers)

    async def _let_time_pass(self, reply: ReplyHead, order: FaultOrder) -> None:
        """Wait as a fault says, or end the connection in the answer's place: raises `UpstreamFault`, `Refusal`."""
        tpp = self.exchange.admission.tpp
        with self.held_answers.holding("" if tpp is None else str(tpp.authorisation_number)):
            await asyncio.sleep(order.milliseconds / 1000)
        if order.is_dropped:
            self.exchange.status = reply.status
            self._note_told_refusal(reply)
            raise UpstreamFault("fault.drop_answer", "the TPP has set a fault that ends the connection without an answer")

    def _note_told_refusal(self, reply: ReplyHead) -> None:
        """Take over what the service says of its refusal; one that says nothing readable has answered, no more."""
        told = reply.own.get(TOLD_REFUSAL)
        if told is None:
            return
        if self.pool.service not in _BELIEVED or len(told) != 1:
            return
        try:
            self.exchange.told = read_refusal_header(told[0])
        except UnreadableRefusal as error:
            get_logger().warning("edge.told_refusal_unreadable", upstream=self.pool.service, error=str(error))
            return
        self.exchange.reason = self.exchange.told.reason
        # Otherwise no refusal: a fault that the TPP has set held the answer back, which the log explains.
        if reply.status >= _FIRST_OTHER_STATUS:
            self.exchange.outcome = FAILED if reply.status >= _FIRST_SERVER_ERROR else REFUSED
