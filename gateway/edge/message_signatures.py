"""Requests that bear an HTTP message signature, where the route wants one judged: by whose key, and not a second time.

The judgement is `gateway.message_signatures`; here it is given what it needs, and its word becomes a refusal.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.admission.looking_up import looked_up
from gateway.admission.refusal import Refusal
from gateway.message_signatures.faults import SignatureFault, UnknownKeyId
from gateway.message_signatures.judgement import verified_request
from gateway.message_signatures.messages import RequestMessage, target_uri
from gateway.message_signatures.uses import claim_of
from gateway.policies.model import SignatureRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.admission.admit import Admission
    from gateway.admission.knowledge import Knowledge
    from gateway.admission.request import Request
    from gateway.audit.exchange import Exchange
    from gateway.edge.client_head import ClientHead
    from gateway.edge.client_keys import KeysOfClients
    from gateway.edge.proof_uses import ProofUses
    from gateway.message_signatures.judgement import VerifiedSignature
    from gateway.oauth.jose.key_set import KeySet
    from gateway.register.model import Client

# What a signature would have to be, for whoever sent none or none that holds (RFC 9421 §5.1).
_WANTED: Final = (
    (
        b"accept-signature",
        b'sig1=("@method" "@target-uri" "authorization" "content-digest");created;keyid;tag="fapi-2-request"',
    ),
)

_TOKEN: Final = b"authorization"


class RequestSignatures:
    """One worker's. A signature is good for `seconds`; `clock` tells epoch seconds."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        keys: KeysOfClients,
        uses: ProofUses,
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """Hold what judging takes."""
        self._knowledge = knowledge
        self._keys = keys
        self._uses = uses
        self._seconds = seconds
        self._clock = clock

    async def require(self, exchange: Exchange, head: ClientHead, body: bytes, *, is_spent: bool = True) -> None:
        """Raise `Refusal` unless the request bears a good signature, or none where the route does not demand one.

        `is_spent` is False for whoever only wants to know: then the signature may come again.
        """
        rule = exchange.admission.taken.message_signatures
        if rule is SignatureRule.OFF:
            return
        if not head.bears_message_signature:
            if rule is SignatureRule.REQUIRED:
                raise Refusal("message_signature.missing", headers=_WANTED)
            return
        client = await looked_up(partial(self._client, exchange.admission))
        try:
            found = exchange.message_signature = await self._verified(_message(exchange.request, head, body), client)
        except SignatureFault as fault:
            detail = f"client {client.client_id}" + (f": {fault.detail}" if fault.detail else "")
            raise Refusal(fault.reason, detail, public_text=fault.text, headers=_WANTED) from fault
        if is_spent:
            await self._uses.require_first_use(
                claim_of(found, now=self._clock()), Refusal("message_signature.replayed", headers=_WANTED)
            )

    async def _verified(self, message: RequestMessage, client: Client) -> VerifiedSignature:
        keys = await self._keys.of(client)
        try:
            return self._judged(message, keys)
        except UnknownKeyId:
            newer = await self._keys.newer(client)
            if newer is None:
                raise
        return self._judged(message, newer)

    def _judged(self, message: RequestMessage, keys: KeySet) -> VerifiedSignature:
        return verified_request(message, keys, now=self._clock(), seconds=self._seconds)

    def _client(self, admission: Admission) -> Client:
        """Return the token's client; raises `Refusal`, `NotLoaded`."""
        if admission.token is None:
            raise Refusal("message_signature.no_token")
        client = self._knowledge.clients.known(admission.token.client_id)
        if client is None:
            raise Refusal("token.client_inactive", f"client {admission.token.client_id}")
        return client


def _message(request: Request, head: ClientHead, body: bytes) -> RequestMessage:
    fields = list(head.signed or ())
    # Whoever only asks how a request would fare sends the token with the question.
    if request.authorization is not None and all(name != _TOKEN for name, _ in fields):
        fields.append((_TOKEN, request.authorization))
    lines = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    url = target_uri(request.host, request.path, request.query)
    return RequestMessage(method=request.method, url=url, lines=lines, body=body)
