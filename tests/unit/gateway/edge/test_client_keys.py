"""The clients' keys at the edge: newer ones are asked for once a name is not known, and where none can be had nobody passes."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gateway.admission.refusal import Refusal
from gateway.edge.client_keys import KeysOfClients
from gateway.oauth.jose.key_set import read_key_set
from gateway.oauth.jose.refusals import JwsRefused
from gateway.register.model import Client, ClientProfile
from tests.support.message_signatures import MessageSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.oauth.jose.key_set import KeySet

KEYS = read_key_set(json.dumps(MessageSigner().jwks))


def client(jwks_uri: str | None = "https://tpp.example/jwks") -> Client:
    return Client(
        client_id="client-1",
        authorisation_number="PSDDE-BAFIN-100001",
        name="Client",
        redirect_uris=(),
        profile=ClientProfile.FAPI2_MESSAGE_SIGNING,
        jwks_uri=jwks_uri,
    )


@dataclass
class Keys:
    """Knows one set, or raises what it is told to."""

    raises: Exception | None = None
    threads: set[str] = field(default_factory=set)

    def of(self, _client: Client) -> KeySet:
        self.threads.add(threading.current_thread().name)
        if self.raises is not None:
            raise self.raises
        return KEYS

    newer = of


def outcome(keys: Keys, ask: Callable[[KeysOfClients], Coroutine[None, None, KeySet | None]]) -> KeySet | str | None:
    async def asked() -> KeySet | str | None:
        of_clients = KeysOfClients(keys)  # type: ignore[arg-type]
        try:
            return await ask(of_clients)
        except Refusal as refusal:
            return refusal.reason
        finally:
            of_clients.stop()

    return asyncio.run(asked())


def test_an_address_is_asked_beside_the_event_loop() -> None:
    """What a client has registered itself is at hand."""
    asking, at_hand = Keys(), Keys()
    assert outcome(asking, lambda keys: keys.of(client())) == KEYS
    assert outcome(asking, lambda keys: keys.newer(client())) == KEYS
    assert outcome(at_hand, lambda keys: keys.of(client(None))) == KEYS
    assert all(name.startswith("client-keys") for name in asking.threads)
    assert at_hand.threads == {threading.main_thread().name}


@pytest.mark.parametrize("where", ["https://tpp.example/jwks", None])
def test_a_client_without_keys_is_told_so(where: str | None) -> None:
    refused = JwsRefused("jose.keys", "the client has no keys", hint="register jwks", clause="RFC 7591 §2")
    assert outcome(Keys(refused), lambda keys: keys.of(client(where))) == "message_signature.keys"


def test_where_keys_can_not_be_read_nobody_passes() -> None:
    assert outcome(Keys(OSError("the database is gone")), lambda keys: keys.of(client())) == "gateway.unsure"
