"""The edge has answers signed by the authorization server: what that says is judged, and only so many are held for it."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.admission.refusal import Refusal
from gateway.edge.response_signing import MOST_UNDER_WAY, ResponseSigner, Signature
from gateway.message_signatures.messages import RequestMessage
from gateway.message_signatures.responses import ResponseMessage, Wish, to_be_signed
from gateway.policies.model import ResponseSignatureRule
from gateway.upstreams.faults import StaleConnection, UpstreamFault

if TYPE_CHECKING:
    from gateway.message_signatures.responses import ToBeSigned

GOOD = json.dumps({"keyid": "key-1", "signature": base64.b64encode(b"xyz").decode()}).encode()


def wanted() -> ToBeSigned:
    asked = RequestMessage(method="GET", url="https://localhost/v1/accounts", lines=())
    found = to_be_signed(asked, ResponseMessage(status=200, lines=(), body=b"{}"), Wish(), created=1)
    assert found is not None
    return found


@dataclass
class Connection:
    """One connection, whose server answers with these bytes, or is gone."""

    reply: bytes = GOOD
    status: int = 200
    is_gone: bool = False
    waits: asyncio.Event | None = None
    asked: bytes = b""
    has_all: bool = False

    def begin(self, **_how: Any) -> None:
        """Begin."""

    def write(self, data: bytes, *, last: bool) -> None:
        assert last
        self.asked = data

    async def reply_head(self) -> Any:
        if self.is_gone:
            raise StaleConnection("upstream.reply", "the connection ended")
        if self.waits is not None:
            await self.waits.wait()
        return SimpleNamespace(status=self.status)

    async def piece(self) -> bytes:
        self.has_all = len(self.reply) < 100_000
        return self.reply


@dataclass
class Pool:
    """Has these connections: the first is idle."""

    connections: list[Connection]
    released: list[Connection] = field(default_factory=list)

    def idle_connection(self) -> Connection | None:
        return self.connections.pop(0) if self.connections else None

    async def connection(self) -> Connection:
        return self.connections.pop(0)

    def release(self, connection: Connection) -> None:
        self.released.append(connection)


def signer(pool: Pool | None) -> ResponseSigner:
    return ResponseSigner(SimpleNamespace(pool_of=lambda _name: pool), most_bytes=1_000, clock=lambda: 0.0)  # type: ignore[arg-type]


def test_what_the_signer_says_is_taken() -> None:
    pool = Pool([Connection()])
    assert asyncio.run(signer(pool).signature(wanted())) == Signature("key-1", b"xyz")
    (connection,) = pool.released
    head, _, body = connection.asked.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /internal/response-signatures HTTP/1.1\r\n")
    assert json.loads(body) == {
        "alg": "ES256",
        "lines": list(wanted().base.lines),
        "parameters": wanted().base.parameters,
    }


def test_a_kept_connection_that_has_ended_is_no_reason_to_go_without() -> None:
    pool = Pool([Connection(is_gone=True), Connection()])
    assert asyncio.run(signer(pool).signature(wanted())).keyid == "key-1"
    assert len(pool.released) == 2


@pytest.mark.parametrize(
    "pool",
    [
        None,
        Pool([Connection(status=503)]),
        Pool([Connection(b"")]),
        Pool([Connection(b"[]")]),
        Pool([Connection(b'{"keyid": "a"}')]),
        Pool([Connection(b'{"keyid": "a", "signature": "="}')]),
        Pool([Connection(b'{"keyid": "a", "signature": 1}')]),
        Pool([Connection(b'{"keyid": 1, "signature": "eHl6"}')]),
        Pool([Connection(b'{"keyid": "a\\"", "signature": "eHl6"}')]),
        Pool([Connection(b'{"keyid": "a\\n", "signature": "eHl6"}')]),
        Pool([Connection(b"x" * 100_000)]),
    ],
)
def test_what_can_not_be_read_is_no_signature(pool: Pool | None) -> None:
    with pytest.raises(UpstreamFault):
        asyncio.run(signer(pool).signature(wanted()))


def test_only_so_many_answers_are_held_at_a_time() -> None:
    """Whoever waits for a slow signer holds an answer in memory."""

    async def crowd() -> str:
        go = asyncio.Event()
        signs = signer(Pool([Connection(waits=go) for _ in range(MOST_UNDER_WAY + 1)]))
        waiting = [asyncio.create_task(signs.signature(wanted())) for _ in range(MOST_UNDER_WAY)]
        await asyncio.sleep(0)
        with pytest.raises(UpstreamFault) as caught:
            await signs.signature(wanted())
        go.set()
        await asyncio.gather(*waiting)
        await signs.signature(wanted())
        return caught.value.reason

    assert asyncio.run(crowd()) == "upstream.busy"


def is_signed(reason: str, *, token: object = object(), admitted_at: float | None = None) -> bool:
    route = SimpleNamespace(response_signatures=ResponseSignatureRule.ALWAYS)
    exchange: Any = SimpleNamespace(
        admission=SimpleNamespace(route=route, token=token), request=SimpleNamespace(), admitted_at=admitted_at
    )
    head: Any = SimpleNamespace(signed=None)
    return signer(None).signing_of_refusal(exchange, Refusal(reason), head) is not None


@pytest.mark.parametrize("reason", ["psd2.role", "token.scope", "message_signature.invalid", "upstream.connect"])
def test_what_is_refused_after_the_token_was_found_to_be_the_callers_own_is_signed(reason: str) -> None:
    assert is_signed(reason)
    assert not is_signed(reason, token=None)


@pytest.mark.parametrize("reason", ["token.cnf_mismatch", "token.other_tpp", "dpop.replayed", "mtls.revoked", "gateway.unsure"])
def test_what_is_refused_before_is_not(reason: str) -> None:
    """Somebody else's token is in the admission already."""
    assert not is_signed(reason)


@pytest.mark.parametrize("reason", ["limit.rate", "limit.quota", "limit.brute_force", "message_signature.response_unsigned"])
def test_refusals_that_have_to_be_cheap_are_not_signed(reason: str) -> None:
    assert not is_signed(reason, admitted_at=1.0)


def test_whatever_befalls_an_admitted_request_is_told_signed() -> None:
    """Its body, for one, of which the edge judges when it has let the request in."""
    assert is_signed("http.body_too_large", admitted_at=1.0)
    assert not is_signed("http.body_too_large")
