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
from gateway.admission.stages import Stage
from gateway.edge.authorization_calls import answer_of
from gateway.message_signatures.messages import RequestMessage, target_uri
from gateway.message_signatures.responses import ASKED_BY, REPLACED, ResponseMessage, Wish, to_be_signed, wish_of
from gateway.policies.model import ResponseSignatureRule
from gateway.upstreams.faults import UpstreamFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.admission.request import Request
    from gateway.audit.exchange import Exchange
    from gateway.edge.client_head import ClientHead
    from gateway.edge.upstream.connection import UpstreamConnection
    from gateway.edge.upstream.upstreams import Upstreams
    from gateway.message_signatures.responses import ToBeSigned
    from gateway.policies.model import Route

PATH: Final = b"/internal/response-signatures"
# Each answer that is being signed is held whole.
MOST_UNDER_WAY: Final = 64
_USUAL: Final = Wish()
_SOON: Final = ((b"retry-after", b"1"),)
_ASKED: Final = ASKED_BY.encode("ascii")
_DIGEST: Final = b"content-digest: "
_NOT_SIGNED: Final = "message_signature.response_unsigned"
_OF_LIMITS: Final = "limit."
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

    def signing_of_refusal(self, exchange: Exchange, refusal: Refusal, head: ClientHead) -> Signing | None:
        """Return how a refusal of the edge's own is to be signed; None where its client is not known, or it has to be cheap."""
        route = exchange.admission.route
        if route is None or not _is_signable(refusal) or not _is_of_known_client(exchange, refusal):
            return None
        return self.signing_of(route, exchange.request, head)

    async def signature(self, wanted: ToBeSigned) -> Signature:
        """Return the signature; raises `UpstreamFault`."""
        asked = {"alg": wanted.algorithm.value, "lines": wanted.base.lines, "parameters": wanted.base.parameters}
        if self._under_way >= MOST_UNDER_WAY:
            raise UpstreamFault("upstream.busy", f"{self._under_way} answers are being signed")
        self._under_way += 1
        try:
            return _read(await answer_of(self._upstreams, PATH, orjson.dumps(asked)))
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

    async def signed_refusal(self, status: int, headers: Headers, body: bytes) -> tuple[Headers, str | None]:
        """Return the same of a refusal, which goes out unsigned rather than become another one."""
        try:
            return await self.signed(status, headers, b"" if self.request.method == "HEAD" else body)
        except Exception as error:  # noqa: BLE001 - whatever failed, it is a refusal that the client gets
            get_logger().warning("edge.refusal_unsigned", request=self.request.id, error=str(error)[:300])
            return headers, None

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


def _is_signable(refusal: Refusal) -> bool:
    """Whether it is not about signing itself, nor what whoever asks too often is refused with, at next to no cost."""
    return refusal.reason != _NOT_SIGNED and not refusal.reason.startswith(_OF_LIMITS)


def _is_of_known_client(exchange: Exchange, refusal: Refusal) -> bool:
    """Whether a good token came, from whom it is bound to: strangers must not have the gateway sign at will (CWE-400)."""
    is_bound = exchange.admitted_at is not None or refusal.ground.stage.place > Stage.BINDING.place
    return is_bound and exchange.admission.token is not None


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
