"""A client at the authorization server, speaking as it has registered to: pushed, signed, proved, or the plain way."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from tpp_client.authorization import (
    authorization_parameters,
    authorization_url,
    begin_authorization,
    process_authorization_response,
    process_signed_authorization_response,
    signed_response_of,
)
from tpp_client.backchannel import (
    backchannel_parameters,
    backchannel_parameters_request,
    backchannel_token_request,
    process_backchannel_response,
    process_backchannel_token_response,
)
from tpp_client.client_assertions import AssertingTransport, ClientSigner
from tpp_client.dpop import TOKEN_TYPE, DpopKey, ProvingTransport
from tpp_client.grants import DETAILS, process_granted_response
from tpp_client.pushing import process_pushed_response, pushed_parameters_request
from tpp_client.refusals import require_status
from tpp_client.request_objects import signed_parameters
from tpp_client.signed_answers import (
    INTROSPECTION_TYP,
    Expected,
    judged_answer,
    judged_introspection,
    keys_request,
    process_keys_response,
)
from tpp_client.signing_keys import load_signing_key
from tpp_client.tokens import (
    BEARER,
    client_credentials_request,
    introspection_of,
    introspection_request,
    process_introspection_response,
    process_token_response,
    refresh_request,
    token_request,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.clock import Clock
    from tpp_client.authorization import AuthorizationAttempt, AuthorizationCode
    from tpp_client.backchannel import BackchannelRequest, Undecided
    from tpp_client.client import ClientTraits
    from tpp_client.discovery import ServerMetadata
    from tpp_client.grants import Granted
    from tpp_client.identity import TppIdentity
    from tpp_client.signed_answers import SignedAnswer
    from tpp_client.signing_keys import SigningKey
    from tpp_client.tokens import Introspection, Tokens
    from tpp_client.wire import HttpResponse, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One client's way of speaking: `key` signs where it has to, `proving` is what its tokens are bound to."""

    identity: TppIdentity
    clock: Clock
    key: SigningKey | None = None
    proving: DpopKey | None = None

    @property
    def traits(self) -> ClientTraits:
        """What its registration makes of it."""
        return self.identity.client

    @property
    def token_type(self) -> str:
        """What kind of tokens it takes: another kind would not be bound as it has registered."""
        return BEARER if self.proving is None else TOKEN_TYPE

    @property
    def more(self) -> dict[str, str]:
        """What its authorization requests say beside what all say."""
        return {"response_mode": "jwt"} if self.traits.wants_signed_answers else {}

    def over(self, transport: Transport) -> Transport:
        """Return a transport that adds to each request what the server asks of this client."""
        if self.traits.signs_to_authenticate and self.key is not None:
            signer = ClientSigner(client_id=self.identity.client_id, audience=self.identity.issuer, key=self.key)
            transport = AssertingTransport(transport=transport, signer=signer, edge=self.identity.edge, clock=self.clock)
        if self.proving is not None:
            transport = ProvingTransport(transport=transport, key=self.proving, edge=self.identity.edge)
        return transport

    def begin(self, *, redirect_uri: str, scope: str = "", more: Mapping[str, str] | None = None) -> AuthorizationAttempt:
        """Start an attempt, one that asks for a signed answer where the client takes no other; `more` it says besides."""
        client_id = self.identity.client_id
        said = self.more | dict(more or {})
        return begin_authorization(client_id=client_id, redirect_uri=redirect_uri, scope=scope, more=said)

    def pushes(self, attempt: AuthorizationAttempt) -> bool:
        """Whether an attempt is pushed: by clients that push all, and what is wanted in full by every client."""
        return self.traits.pushes_requests or DETAILS in attempt.more

    def address(self, transport: Transport, metadata: ServerMetadata, attempt: AuthorizationAttempt) -> str:
        """Return where to send the PSU's browser, the request pushed before, and signed, where that is asked of the client."""
        if not self.pushes(attempt):
            return authorization_url(metadata, attempt)
        asked = self.asked(metadata, attempt)
        return process_pushed_response(pushed_parameters_request(transport, metadata, asked), metadata, attempt)

    def asked(self, metadata: ServerMetadata, attempt: AuthorizationAttempt) -> dict[str, str]:
        """Return the parameters of an attempt as they are pushed: by themselves, or as one signed object."""
        return self.as_pushed(metadata, authorization_parameters(attempt))

    def as_pushed(self, metadata: ServerMetadata, parameters: dict[str, str]) -> dict[str, str]:
        """Return parameters by themselves, or as one signed object where that is asked of the client."""
        return self._as_sent(metadata, parameters, is_signed=self.traits.signs_requests)

    def _as_sent(self, metadata: ServerMetadata, parameters: dict[str, str], *, is_signed: bool) -> dict[str, str]:
        if not is_signed or self.key is None:
            return parameters
        return signed_parameters(parameters, issuer=metadata.issuer, key=self.key, now=self._now())

    def answer(
        self, transport: Transport, metadata: ServerMetadata, attempt: AuthorizationAttempt, redirect: str
    ) -> tuple[AuthorizationCode, SignedAnswer | None]:
        """Judge the redirect that answers an attempt, and what in it is signed.

        Raises `AuthorizationResponseRejected`, also for a plain answer where a signed one was asked for;
        `AuthorizationRefused` for an honest no.
        """
        if not attempt.wants_signed_answer:
            return process_authorization_response(metadata, attempt, redirect), None
        compact = signed_response_of(attempt, redirect)
        keys = process_keys_response(keys_request(transport, metadata))
        signed = judged_answer(compact, keys, self._expected(metadata, self.traits.authorization_signed_response_alg))
        return process_signed_authorization_response(metadata, attempt, signed.claims), signed

    def tokens(self, transport: Transport, metadata: ServerMetadata, code: AuthorizationCode) -> Tokens:
        """Exchange a code for tokens, bound as the client has registered."""
        response = token_request(transport, metadata, code)
        return process_token_response(response, asked_scope=code.attempt.scope, token_type=self.token_type)

    def granted(self, transport: Transport, metadata: ServerMetadata, code: AuthorizationCode) -> Granted:
        """Exchange a code for tokens, and what they are for."""
        return process_granted_response(token_request(transport, metadata, code), token_type=self.token_type)

    def own_token(self, transport: Transport, metadata: ServerMetadata, scope: str) -> Tokens:
        """Return a token of the client's own, which no PSU has given."""
        response = client_credentials_request(transport, metadata, client_id=self.identity.client_id, scope=scope)
        return process_token_response(response, asked_scope=scope, token_type=self.token_type)

    def asks(
        self,
        transport: Transport,
        metadata: ServerMetadata,
        *,
        scope: str,
        psu: str,
        binding_message: str,
        notification_token: str | None = None,
    ) -> BackchannelRequest:
        """Have the bank ask a PSU in its app, the request signed where that is asked of the client (CIBA Core §7.1)."""
        parameters = backchannel_parameters(
            client_id=self.identity.client_id,
            scope=scope,
            psu=psu,
            binding_message=binding_message,
            notification_token=notification_token,
        )
        asked = self._as_sent(metadata, parameters, is_signed=self.traits.signs_backchannel_requests)
        return process_backchannel_response(backchannel_parameters_request(transport, metadata, asked))

    def polled(
        self, transport: Transport, metadata: ServerMetadata, begun: BackchannelRequest, *, scope: str
    ) -> Tokens | Undecided:
        """Ask whether the PSU has decided, and take the tokens, bound as the client has registered."""
        client_id = self.identity.client_id
        response = backchannel_token_request(transport, metadata.token_endpoint, begun, client_id=client_id)
        return process_backchannel_token_response(response, asked_scope=scope, token_type=self.token_type)

    def refreshed(self, transport: Transport, metadata: ServerMetadata, refresh_token: str) -> Tokens:
        """Return a fresh access token."""
        client_id = self.identity.client_id
        response = refresh_request(transport, metadata, client_id=client_id, refresh_token=refresh_token)
        return process_token_response(response, token_type=self.token_type)

    def introspected(
        self, transport: Transport, metadata: ServerMetadata, token: str
    ) -> tuple[Introspection, SignedAnswer | None]:
        """Return what a token of ours is worth, and the server's signature under it where the client asks for one."""
        accept = f"application/{INTROSPECTION_TYP}" if self.traits.wants_signed_introspection else "application/json"
        response = introspection_request(transport, metadata, client_id=self.identity.client_id, token=token, accept=accept)
        if not self.traits.wants_signed_introspection:
            return process_introspection_response(response), None
        signed = self._signed_introspection(transport, metadata, response)
        return introspection_of(signed.claims.child("token_introspection")), signed

    def _signed_introspection(self, transport: Transport, metadata: ServerMetadata, response: HttpResponse) -> SignedAnswer:
        require_status(response, HTTPStatus.OK)
        keys = process_keys_response(keys_request(transport, metadata))
        expected = self._expected(metadata, self.traits.introspection_signed_response_alg)
        return judged_introspection(response.body.decode("ascii", errors="replace"), keys, expected)

    def _expected(self, metadata: ServerMetadata, alg: str | None) -> Expected:
        return Expected(issuer=metadata.issuer, audience=self.identity.client_id, now=self._now(), alg=alg)

    def _now(self) -> float:
        return self.clock.now().timestamp()


def voice_of(identity: TppIdentity, *, clock: Clock) -> Voice:
    """Return the voice that an identity's files give it; raises `IdentityUnusable` where its key is missing or another's."""
    traits = identity.client
    key = load_signing_key(identity.client_key, registered=traits.jwks) if traits.needs_key else None
    return Voice(identity=identity, clock=clock, key=key, proving=proving_of(identity, clock=clock))


def proving_of(identity: TppIdentity, *, clock: Clock) -> DpopKey | None:
    """Return the key that an identity's tokens are bound to, None where they are bound to its certificate."""
    if not identity.client.dpop_bound_access_tokens:
        return None
    path = identity.dpop_key
    # Several processes of one TPP share a key by its file; without one this process has a key of its own.
    return DpopKey(clock, load_signing_key(path) if path.is_file() else None)
