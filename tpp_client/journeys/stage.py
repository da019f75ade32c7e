"""What every journey needs at hand, and the authorization by a browser's redirect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from tpp_client.discovery import discovery_request, process_discovery_response
from tpp_client.errors import UnexpectedResponse
from tpp_client.sandbox_api import process_psu_interaction_response, psu_interaction_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psd2.clock import Clock
    from tpp_client.authorisations import ScaStep
    from tpp_client.authorization import AuthorizationAttempt, AuthorizationCode
    from tpp_client.discovery import ServerMetadata
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.narration import Narrator
    from tpp_client.pings import PingEndpoint
    from tpp_client.speaking import Voice
    from tpp_client.tokens import Tokens
    from tpp_client.wire import Transport
    from tpp_client.xs2a import Xs2a


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInvitation:
    """What a person has to know to be the PSU: the bank app's address, whose it is, and for how long the request lives."""

    url: str
    psu: str
    password: str = field(repr=False)
    message: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backchannel:
    """How PSUs are asked without a browser: the client is told of their decision at `ping`, or polls for it (CIBA Core §5).

    `invite` tells a person where to decide; without it the sandbox decides for the PSU.
    """

    ping: PingEndpoint | None = None
    invite: Callable[[AppInvitation], None] | None = None


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
    voice: Voice
    transport: Transport
    xs2a: Xs2a
    psu: PsuDecision
    narrator: Narrator
    clock: Clock
    redirect_uri: str
    pause: Callable[[float], None]
    psu_id: str | None = None  # the PSU's login at the bank, where the TPP knows it
    backchannel: Backchannel | None = None  # there where PSUs are asked in their bank app


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaiting:
    """What waits for a PSU's yes: its scope at the authorization server, its path at the bank, and how the bank would lead."""

    scope: str
    path: str
    sca: ScaStep


def discover(stage: Stage) -> ServerMetadata:
    """Read the authorization server's metadata."""
    stage.narrator.step("Read the authorization server's metadata", "RFC 8414")
    response = discovery_request(stage.transport, stage.identity.issuer)
    return process_discovery_response(response, issuer=stage.identity.issuer)


def authorise(stage: Stage, metadata: ServerMetadata, scope: str) -> Tokens:
    """Send the PSU to the bank, take the code from the redirect, exchange it for a bound token."""
    code = obtain_code(stage, metadata, scope)
    signs, proves = stage.voice.traits.signs_to_authenticate, stage.voice.proving is not None
    own = "client.crt, which the client has registered" if stage.voice.traits.has_own_certificate else "the QWAC alone"
    how = "the QWAC and a signed assertion" if signs else own
    clauses = ", ".join(["RFC 8705 §2.1, §3", *["RFC 7523 §3"] * signs, *["RFC 9449 §5"] * proves])
    stage.narrator.step(f"Exchange the code for a token, authenticated by {how}", clauses)
    tokens = stage.voice.tokens(stage.transport, metadata, code)
    require_bound(stage, metadata, tokens)
    return tokens


def obtain_code(
    stage: Stage, metadata: ServerMetadata, scope: str = "", more: Mapping[str, str] | None = None
) -> AuthorizationCode:
    """Send the PSU to the bank and take the code from the redirect; `more` is what the request says beside `scope`."""
    attempt = stage.voice.begin(redirect_uri=stage.redirect_uri, scope=scope, more=more)
    url = _address(stage, metadata, attempt)
    stage.narrator.step("Send the PSU to the bank, and take it back with a code", "RFC 6749 §4.1, RFC 7636, RFC 9207")
    redirect = stage.psu.decide(url)
    code, signed = stage.voice.answer(stage.transport, metadata, attempt, redirect)
    if signed is not None:
        stage.narrator.fact("answer signed", f"{signed}, for us and in time (JARM §2.4)")
    stage.narrator.fact("state and issuer", "as we sent them: no forgery, no mix-up")
    return code


def _address(stage: Stage, metadata: ServerMetadata, attempt: AuthorizationAttempt) -> str:
    """Return where the browser goes; a client that pushes tells the bank first."""
    is_pushed = stage.voice.pushes(attempt)
    if is_pushed:
        signed = " signed by the client's key" if stage.voice.traits.signs_requests else ""
        stage.narrator.step(f"Push the authorization request{signed}", "RFC 9126, RFC 9101" if signed else "RFC 9126")
    url = stage.voice.address(stage.transport, metadata, attempt)
    if is_pushed:
        stage.narrator.fact("pushed", "the browser carries a reference alone")
    return url


def require_bound(stage: Stage, metadata: ServerMetadata, tokens: Tokens) -> None:
    """Look into the token: one that is not bound to us would be anybody's."""
    told, signed = stage.voice.introspected(stage.transport, metadata, tokens.access_token)
    if signed is not None:
        stage.narrator.fact("introspection signed", f"{signed} (RFC 9701)")
    if stage.voice.proving is not None:
        _require_same(told.jkt, stage.voice.proving.jkt, "our key is", "RFC 9449 §6.1")
        stage.narrator.fact("bound to", f"our key, jkt {told.jkt}")
        return
    _require_same(told.thumbprint, stage.identity.certificate.thumbprint, "our certificate is", "RFC 8705 §3.1")
    stage.narrator.fact("bound to", f"our QWAC, x5t#S256 {told.thumbprint}")


def _require_same(bound_to: str | None, ours: str, what: str, clause: str) -> None:
    if bound_to != ours:
        msg = f"the token is bound to {bound_to}, {what} {ours} ({clause})"
        raise UnexpectedResponse(msg)
