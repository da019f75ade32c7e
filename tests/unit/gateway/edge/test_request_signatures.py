"""A route's word on message signatures, and what becomes of a signature: judged, spent once, or only looked at."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.admission.admit import Admission
from gateway.admission.refusal import Refusal
from gateway.edge.client_head import HeadReader
from gateway.edge.message_signatures import RequestSignatures
from gateway.oauth.jose.key_set import read_key_set
from gateway.policies.model import SignatureRule
from tests.support.message_signatures import MessageSigner, signed_fields

if TYPE_CHECKING:
    from gateway.limits.accounts import Claim
    from gateway.oauth.jose.key_set import KeySet

OLD, NEW = MessageSigner(kid="old"), MessageSigner(kid="new")
NOW = int(time.time())
PLAIN = {"host": "localhost", "authorization": "Bearer abc"}


@dataclass
class Keys:
    """The client's address gives `OLD`, and once it is asked anew `NEW`."""

    has_newer: bool = True
    asked_anew: int = 0

    async def of(self, _client: Any) -> KeySet:
        return read_key_set(json.dumps(OLD.jwks))

    async def newer(self, _client: Any) -> KeySet | None:
        self.asked_anew += 1
        return read_key_set(json.dumps(NEW.jwks)) if self.has_newer else None


@dataclass
class Uses:
    """Remembers what was claimed."""

    claimed: list[str] = field(default_factory=list)

    async def require_first_use(self, claim: Claim, replayed: Refusal) -> None:
        if claim.key in self.claimed:
            raise replayed
        self.claimed.append(claim.key)


class Edge:
    """As much of an edge as it takes."""

    def __init__(self, rule: SignatureRule = SignatureRule.REQUIRED, *, has_newer: bool = True, has_token: bool = True) -> None:
        self.keys, self.uses = Keys(has_newer), Uses()
        clients = SimpleNamespace(known=lambda _client_id: SimpleNamespace(client_id="client-1"))
        self._signatures = RequestSignatures(
            knowledge=SimpleNamespace(clients=clients),  # type: ignore[arg-type]
            keys=self.keys,  # type: ignore[arg-type]
            uses=self.uses,  # type: ignore[arg-type]
            seconds=60,
            clock=lambda: float(NOW),
        )
        token = SimpleNamespace(client_id="client-1") if has_token else None
        self._admission = Admission(route=SimpleNamespace(message_signatures=rule), token=token)  # type: ignore[arg-type]

    def outcome(self, fields: dict[str, str], *, is_spent: bool = True) -> str:
        request = SimpleNamespace(method="GET", host="localhost", path="/v1/accounts", query=b"", authorization=None)
        exchange = SimpleNamespace(request=request, admission=self._admission, message_signature=None)
        head = HeadReader().read([(name.encode(), value.encode()) for name, value in fields.items()])
        try:
            asyncio.run(self._signatures.require(exchange, head, b"", is_spent=is_spent))  # type: ignore[arg-type]
        except Refusal as refusal:
            return refusal.reason
        return exchange.message_signature.keyid if exchange.message_signature else "not looked at"


def signed(signer: MessageSigner = OLD) -> dict[str, str]:
    url = "https://localhost/v1/accounts"
    return PLAIN | signed_fields(signer, method="GET", url=url, fields=PLAIN, created=NOW)


@pytest.mark.parametrize(
    ("rule", "unsigned", "good", "wrong"),
    [
        (SignatureRule.OFF, "not looked at", "not looked at", "not looked at"),
        (SignatureRule.OPTIONAL, "not looked at", "old", "message_signature.invalid"),
        (SignatureRule.REQUIRED, "message_signature.missing", "old", "message_signature.invalid"),
    ],
)
def test_the_route_says_whether_signatures_are_looked_at(rule: SignatureRule, unsigned: str, good: str, wrong: str) -> None:
    another = MessageSigner(kid="old")
    assert Edge(rule).outcome(PLAIN) == unsigned
    assert Edge(rule).outcome(signed()) == good
    assert Edge(rule).outcome(signed(another)) == wrong


def test_a_signature_is_spent_once_and_a_dry_run_spends_none() -> None:
    edge, fields = Edge(), signed()
    assert edge.outcome(fields, is_spent=False) == "old"
    assert edge.outcome(fields) == "old"
    assert edge.outcome(fields) == "message_signature.replayed"


def test_a_signature_that_is_no_good_spends_nothing() -> None:
    """Else whoever saw one could spend it before its client does."""
    edge, fields = Edge(), signed()
    assert edge.outcome(fields | {"authorization": "Bearer another"}) == "message_signature.invalid"
    assert edge.uses.claimed == []
    assert edge.outcome(fields) == "old"


def test_a_key_that_is_not_known_is_looked_for_once() -> None:
    edge = Edge()
    assert edge.outcome(signed(NEW)) == "new"
    assert edge.keys.asked_anew == 1
    assert edge.outcome(signed(MessageSigner(kid="never"))) == "message_signature.key"
    assert Edge(has_newer=False).outcome(signed(NEW)) == "message_signature.key"


def test_a_key_that_is_known_is_not_looked_for() -> None:
    """Else signatures that are wrong would have us ask the client's server as often as somebody likes."""
    edge = Edge()
    assert edge.outcome(signed(MessageSigner(kid="old"))) == "message_signature.invalid"
    assert edge.keys.asked_anew == 0


def test_without_a_token_nobody_knows_whose_key() -> None:
    assert Edge(SignatureRule.OPTIONAL, has_token=False).outcome(signed()) == "message_signature.no_token"


@pytest.mark.parametrize(
    ("fields", "by_key", "by_seal"),
    [
        ({}, False, False),
        ({"signature": "a"}, False, True),
        ({"digest": "a"}, False, True),
        ({"signature": "a", "signature-input": "b"}, True, False),
        ({"signature-input": "b"}, True, False),
        ({"signature": "a", "signature-input": "b", "tpp-signature-certificate": "c"}, True, True),
        ({"accept-signature": "a"}, False, False),
    ],
)
def test_both_kinds_of_signatures_are_told_apart(fields: dict[str, str], *, by_key: bool, by_seal: bool) -> None:
    head = HeadReader().read([(name.encode(), value.encode()) for name, value in (PLAIN | fields).items()])
    assert (head.bears_message_signature, head.bears_seal) == (by_key, by_seal)
