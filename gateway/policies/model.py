"""Deployments and routes as the edge knows them: parsed once, frozen, nothing left to validate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.roles import PspRole


class Listener(StrEnum):
    """A public address of the edge (docs/architecture.md §2)."""

    WELCOME = "welcome"
    PORTAL = "portal"
    FRONT = "front"
    EDGE = "edge"
    DEMO = "demo"

    @property
    def asks_for_certificate(self) -> bool:
        """Whether TPPs speak here; asking browsers would make them prompt."""
        return self is Listener.EDGE

    @property
    def speaks_tls(self) -> bool:
        """All but the one where CRLs and CA certificates are fetched, which is plain HTTP everywhere."""
        return self is not Listener.WELCOME


class Upstream(StrEnum):
    """An internal server that the edge forwards to."""

    BANK = "bank"
    AUTHORIZATION = "authorization"
    PORTAL = "portal"
    DEMO = "demo"


class MutualTls(StrEnum):
    """Whether a route wants a client certificate; one that is presented is judged either way."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class TokenRule(StrEnum):
    """Whether a route with a scope wants a token, or judges one that is presented and leaves the rest to its server."""

    REQUIRED = "required"
    IF_PRESENTED = "if_presented"


class SignatureRule(StrEnum):
    """Whether requests are to be signed: not looked at, judged where they are and told to the server, or refused without."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class ErrorStyle(StrEnum):
    """How refusals look: Berlin Group's `tppMessages`, OAuth's `error`, or problem details."""

    XS2A = "xs2a"
    OAUTH = "oauth"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path template with its methods, and what a request must bring to pass.

    `token_scope` is the scope value's prefix (`AIS` admits `AIS:<consentId>`); None where no token is asked for.
    """

    deployment: str
    listener: Listener
    upstream: Upstream
    template: str
    methods: frozenset[str]
    mtls: MutualTls
    role: PspRole | None
    token_scope: str | None
    token: TokenRule
    signature: SignatureRule
    errors: ErrorStyle
    # Where it takes larger bodies than others (`GATEWAY_MAX_BODY_BYTES`): whole in the edge's memory, until all has arrived.
    max_body_bytes: int | None = None

    @property
    def holds_secret(self) -> bool:
        """Whether a segment of its paths opens something to whoever reads it."""
        return "{secret}" in self.template


@dataclass(frozen=True, slots=True)
class Deployments:
    """All routes of all listeners."""

    routes: tuple[Route, ...]
