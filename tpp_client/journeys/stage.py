"""What every journey needs at hand, and the authorization that all three kinds share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from tpp_client.authorization import authorization_url, begin_authorization, process_authorization_response
from tpp_client.discovery import discovery_request, process_discovery_response
from tpp_client.errors import UnexpectedResponse
from tpp_client.pushing import process_pushed_response, pushed_request
from tpp_client.sandbox_api import process_psu_interaction_response, psu_interaction_request
from tpp_client.tokens import (
    introspection_request,
    process_introspection_response,
    process_token_response,
    token_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from psd2.clock import Clock
    from tpp_client.authorization import AuthorizationAttempt, AuthorizationCode
    from tpp_client.discovery import ServerMetadata
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.narration import Narrator
    from tpp_client.tokens import Tokens
    from tpp_client.wire import Transport
    from tpp_client.xs2a import Xs2a


class PsuDecision(Protocol):
    """Brings a PSU's decision: opens an authorization URL and returns the redirect it ends in."""

    def decide(self, url: str) -> str:
        """Return the redirect; raises `TppClientError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlessPsu:
    """A PSU without a browser, by the sandbox's own endpoint."""

    xs2a: Xs2a
    psu: str
    result: Literal["APPROVED", "REJECTED"] = "APPROVED"
    accounts: tuple[str, ...] | None = None

    def decide(self, url: str) -> str:
        """Decide at once."""
        response = psu_interaction_request(self.xs2a, url=url, psu=self.psu, result=self.result, accounts=self.accounts)
        return process_psu_interaction_response(response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One TPP at one bank with one PSU. `transport` and `xs2a` speak as the TPP."""

    identity: TppIdentity
    transport: Transport
    xs2a: Xs2a
    psu: PsuDecision
    narrator: Narrator
    clock: Clock
    redirect_uri: str
    pause: Callable[[float], None]
    psu_id: str | None = None  # the PSU's login at the bank, where the TPP knows it


def discover(stage: Stage) -> ServerMetadata:
    """Read the authorization server's metadata."""
    stage.narrator.step("Read the authorization server's metadata", "RFC 8414")
    response = discovery_request(stage.transport, stage.identity.issuer)
    return process_discovery_response(response, issuer=stage.identity.issuer)


def authorise(stage: Stage, metadata: ServerMetadata, scope: str) -> Tokens:
    """Send the PSU to the bank, take the code from the redirect, exchange it for a bound token."""
    code = obtain_code(stage, metadata, scope)
    how = "the QWAC alone" if stage.identity.client_key is None else "the QWAC and a signed assertion"
    stage.narrator.step(f"Exchange the code for a token, authenticated by {how}", "RFC 8705 §2.1, §3")
    tokens = process_token_response(token_request(stage.transport, metadata, code), asked_scope=scope)
    _require_bound(stage, metadata, tokens)
    return tokens


def obtain_code(stage: Stage, metadata: ServerMetadata, scope: str) -> AuthorizationCode:
    """Send the PSU to the bank and take the code from the redirect."""
    stage.narrator.step("Send the PSU to the bank, and take it back with a code", "RFC 6749 §4.1, RFC 7636, RFC 9207")
    attempt = begin_authorization(client_id=stage.identity.client_id, redirect_uri=stage.redirect_uri, scope=scope)
    url = _pushed(stage, metadata, attempt) if stage.identity.pushes_requests else authorization_url(metadata, attempt)
    redirect = stage.psu.decide(url)
    code = process_authorization_response(metadata, attempt, redirect)
    stage.narrator.fact("state and issuer", "as we sent them: no forgery, no mix-up")
    return code


def _pushed(stage: Stage, metadata: ServerMetadata, attempt: AuthorizationAttempt) -> str:
    url = process_pushed_response(pushed_request(stage.transport, metadata, attempt), metadata, attempt)
    stage.narrator.fact("pushed", "the request; the browser carries a reference alone (RFC 9126)")
    return url


def _require_bound(stage: Stage, metadata: ServerMetadata, tokens: Tokens) -> None:
    """Look into the token: one that is not bound to our certificate would be anybody's."""
    response = introspection_request(stage.transport, metadata, client_id=stage.identity.client_id, token=tokens.access_token)
    thumbprint = process_introspection_response(response).thumbprint
    if thumbprint != stage.identity.certificate.thumbprint:
        msg = f"the token is bound to {thumbprint}, our certificate is {stage.identity.certificate.thumbprint} (RFC 8705 §3.1)"
        raise UnexpectedResponse(msg)
    stage.narrator.fact("bound to", f"our QWAC, x5t#S256 {thumbprint}")
