"""Signs answers where the route or the client wants it (RFC 9421), by the authorization server, which has the keys.

An answer has to be here whole for it: beyond a bound it is refused where it must be signed, and else goes out as it is.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from chassis.logs import get_logger
from gateway.admission.refusal import Refusal
from gateway.message_signatures.messages import RequestMessage, target_uri
from gateway.message_signatures.responses import ASKED_BY, REPLACED, ResponseMessage, Wish, to_be_signed, wish_of
from gateway.policies.model import ResponseSignatureRule, Upstream, UpstreamDeadlines
from gateway.upstreams.faults import StaleConnection, UpstreamFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.admission.request import Request
    from gateway.edge.client_head import ClientHead
    from gateway.edge.upstream_connection import UpstreamConnection
    from gateway.edge.upstream_pool import Pool
    from gateway.edge.upstreams import Upstreams
    from gateway.message_signatures.responses import ToBeSigned
    from gateway.policies.model import Route

PATH: Final = b"/internal/response-signatures"
_DEADLINES: Final = UpstreamDeadlines(head_seconds=3.0, stall_seconds=3.0)
# Each answer that is being signed is held whole.
MOST_UNDER_WAY: Final = 64
_MOST_REPLY_BYTES: Final = 16 * 1024
_HEAD: Final = (
    b"POST %b HTTP/1.1\r\nhost: authorization.internal\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
)
_OK: Final = 200
_USUAL: Final = Wish()
_SOON: Final = ((b"retry-after", b"1"),)
_ASKED: Final = ASKED_BY.encode("ascii")
_DIGEST: Final = b"content-digest: "
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signer has said."""

    keyid: str
    value: bytes


class ResponseSigner:
    """One worker's. Answers of at most `most_bytes` are signed; `clock` tells epoch seconds."""

    def __init__(self, upstreams: Upstreams, *, most_bytes: int, clock: Callable[[], float]) -> None:
        """Sign nothing yet."""
        self._upstreams = upstreams
        self._under_way = 0
        self.clock = clock
        self.most_bytes = most_bytes

    def signing_of(self, route: Route, request: Request, head: ClientHead) -> Signing | None:
        """Return how the answer is to be signed; None, and nothing looked at, where the route does not say so."""
        if route.response_signatures is ResponseSignatureRule.OFF:
            return None
        is_demanded = route.response_signatures is ResponseSignatureRule.ALWAYS
        asked = [value.decode("latin-1") for name, value in head.signed or () if name == _ASKED]
        wish = wish_of(asked) if asked else None
        if wish is None and not is_demanded:
            return None
        return Signing(self, request, head, wish or _USUAL, is_demanded)

    async def signature(self, wanted: ToBeSigned) -> Signature:
        """Return the signature; raises `UpstreamFault`."""
        asked = {"alg": wanted.algorithm.value, "lines": wanted.base.lines, "parameters": wanted.base.parameters}
        pool = self._upstreams.pool_of(Upstream.AUTHORIZATION)
        if pool is None:
            raise UpstreamFault("upstream.connect", "there is no authorization server")
        if self._under_way >= MOST_UNDER_WAY:
            raise UpstreamFault("upstream.busy", f"{self._under_way} answers are being signed")
        body = orjson.dumps(asked)
        self._under_way += 1
        try:
            return _read(await _answer(pool, _HEAD % (PATH, len(body)) + body))
        finally:
            self._under_way -= 1


@dataclass(frozen=True, slots=True)
class Signing:
    """The answer to one request, to be signed as the client wishes; `is_demanded`: or not be given."""

    signer: ResponseSigner
    request: Request
    head: ClientHead
    wish: Wish
    is_demanded: bool

    @property
    def most_bytes(self) -> int:
        """The largest body that is signed."""
        return self.signer.most_bytes

    def require_unsigned(self) -> None:
        """Raise `Refusal` where an answer that is too large to be signed has to be."""
        if self.is_demanded:
            raise Refusal("message_signature.response_too_large", f"more than {self.most_bytes} bytes")

    async def signed(self, status: int, headers: Headers, body: bytes) -> tuple[Headers, str | None]:
        """Return the headers of the signed answer and the key's name, None for one that stays unsigned; raises `Refusal`."""
        try:
            wanted = self._wanted(ResponseMessage(status=status, lines=_texts(headers), body=body))
            signature = await self.signer.signature(wanted)
        except UpstreamFault as fault:
            if self.is_demanded:
                raise Refusal("message_signature.response_unsigned", str(fault), headers=_SOON) from fault
            get_logger().warning("edge.response_unsigned", request=self.request.id, error=str(fault))
            return headers, None
        fields = wanted.fields(signature.keyid, signature.value)
        kept = [field for field in headers if field[0].decode("latin-1") not in REPLACED]
        return kept + [(name.encode("ascii"), value.encode("ascii")) for name, value in fields], signature.keyid

    def _wanted(self, response: ResponseMessage) -> ToBeSigned:
        asked, created = _asked(self.request, self.head), int(self.signer.clock())
        # Where a wish can't be fulfilled and the answer must be signed, it is signed as usual.
        for wish in (self.wish, _USUAL) if self.is_demanded else (self.wish,):
            wanted = to_be_signed(asked, response, wish, created=created)
            if wanted is not None:
                return wanted
        raise UpstreamFault("upstream.reply", "what is to be covered is not there, or no text of ASCII")


async def gathered(connection: UpstreamConnection, piece: bytes, *, most_bytes: int) -> bytes:
    """Return a reply's body whole, `piece` being its begin, or the part of it that is more than `most_bytes`."""
    pieces, size = [piece], len(piece)
    while not connection.has_all and size <= most_bytes:
        pieces.append(await connection.piece())
        size += len(pieces[-1])
    return b"".join(pieces)


async def _answer(pool: Pool, request: bytes) -> bytes:
    connection = pool.idle_connection()
    if connection is not None:
        try:
            return await _exchanged(pool, connection, request)
        except StaleConnection:
            pass  # nobody has seen the question
    return await _exchanged(pool, await pool.connection(), request)


async def _exchanged(pool: Pool, connection: UpstreamConnection, request: bytes) -> bytes:
    try:
        connection.begin(is_head_request=False, deadlines=_DEADLINES)
        connection.write(request, last=True)
        head = await connection.reply_head()
        body = await connection.piece()
        while not connection.has_all and len(body) <= _MOST_REPLY_BYTES:
            body += await connection.piece()
        if head.status != _OK or not connection.has_all:
            raise UpstreamFault("upstream.reply", f"the authorization server signs nothing: {head.status}")
        return body
    finally:
        pool.release(connection)


def _read(body: bytes) -> Signature:
    try:
        said: dict[str, Any] = orjson.loads(body)
        keyid, value = said["keyid"], base64.b64decode(said["signature"], validate=True)
    except (orjson.JSONDecodeError, KeyError, TypeError, binascii.Error) as error:
        raise UpstreamFault("upstream.reply", f"the signature can't be read: {error!r}") from error
    if not (isinstance(keyid, str) and keyid.isascii() and keyid.isprintable() and '"' not in keyid and "\\" not in keyid):
        raise UpstreamFault("upstream.reply", "the signing key's name is no plain text")
    return Signature(keyid, value)


def _asked(request: Request, head: ClientHead) -> RequestMessage:
    if head.signed is not None:
        lines = _texts(head.signed)
    else:
        digests = (line[len(_DIGEST) :] for line in head.lines if line.startswith(_DIGEST))
        lines = [("content-digest", digest.decode("latin-1").strip(" \t\r\n")) for digest in digests]
    url = target_uri(request.host, request.path, request.query)
    return RequestMessage(method=request.method, url=url, lines=tuple(lines))


def _texts(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
