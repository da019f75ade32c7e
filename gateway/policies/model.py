"""Deployments and routes as the edge knows them: parsed once, frozen, nothing left to validate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.plans.model import NO_PLAN, PlanRule

if TYPE_CHECKING:
    from gateway.dpop.rule import NonceRule
    from gateway.limits.model import Limit
    from gateway.policies.names import NamePattern
    from gateway.policies.networks import IpRules
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
    """Who answers, of those that come with the gateway, by their names as upstreams."""

    BANK = "bank"
    AUTHORIZATION = "authorization"
    PORTAL = "portal"
    DEMO = "demo"
    ACME = "acme-challenges"  # the edge itself: what a CA looks for that is asked for a certificate (gateway.acme)
    EXPLAIN = "explain"  # the edge itself: a dry run of the checks (gateway.explain), nothing is forwarded


class MutualTls(StrEnum):
    """Whether a route wants a client certificate: not looked at, judged where presented, or refused without."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class InvalidCertificate(StrEnum):
    """What becomes of a certificate that is optional, presented, and no good: a refusal, or as if there were none."""

    REJECT = "reject"
    IGNORE = "ignore"


class SelfSigned(StrEnum):
    """Whether a certificate without an authority is taken: never, or where a client has registered it (RFC 8705 §2.2)."""

    OFF = "off"
    REGISTERED = "registered"


class TokenRule(StrEnum):
    """Whether a route wants a token: not looked at, judged where presented (the server says the rest), or refused without."""

    OFF = "off"
    IF_PRESENTED = "if_presented"
    REQUIRED = "required"


class TokenBinding(StrEnum):
    """Whether a token must be bound to the client's certificate (RFC 8705 §3): no, where it is bound, or always."""

    OFF = "off"
    IF_BOUND = "if_bound"
    REQUIRED = "required"


class SignatureRule(StrEnum):
    """Whether requests are to be signed: not looked at, judged where they are and told to the server, or refused without."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class ResponseSignatureRule(StrEnum):
    """Whether answers are signed (RFC 9421): no, where `Accept-Signature` asks for it and it can be done, or always."""

    OFF = "off"
    IF_ASKED = "if_asked"
    ALWAYS = "always"


class ErrorStyle(StrEnum):
    """How refusals look: Berlin Group's `tppMessages`, OAuth's `error`, or problem details."""

    XS2A = "xs2a"
    OAUTH = "oauth"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePolicy:
    """What a client certificate must be beyond trusted; what is empty or None asks for nothing.

    Hashes are SHA-256 of the DER, lower-case hex. `max_chain_depth` counts the CAs above the leaf, the anchor included.
    `extended_key_usages` are dotted OIDs, all of which the leaf must have.
    """

    allowed_sans: tuple[NamePattern, ...] = ()
    allowed_cns: tuple[NamePattern, ...] = ()
    allowed_certificates: frozenset[str] = frozenset()
    allowed_issuers: frozenset[str] = frozenset()
    max_chain_depth: int | None = None
    extended_key_usages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamDeadlines:
    """How long the upstream may take, in seconds: for the head of its answer, and between pieces; None: the upstream's own."""

    head_seconds: float | None = None
    stall_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path template with its methods, and what a request must bring to pass.

    Of `roles` one must be granted. `scopes` are prefixes of scope values (`AIS` admits `AIS:<consentId>`), one of which
    the token must hold. `certificate` is None where it asks for nothing beyond trust, `ip_rules` where everybody may call.
    """

    deployment: str
    listener: Listener
    upstream: str
    template: str
    methods: frozenset[str]
    errors: ErrorStyle
    mtls: MutualTls
    on_invalid_certificate: InvalidCertificate = InvalidCertificate.REJECT
    self_signed: SelfSigned = SelfSigned.OFF
    trust_store: str
    certificate: CertificatePolicy | None = None
    roles: frozenset[PspRole] = frozenset()
    token: TokenRule = TokenRule.OFF
    scopes: tuple[str, ...] = ()
    token_binding: TokenBinding = TokenBinding.REQUIRED
    dpop_nonce: NonceRule | None = None  # None: as the settings say
    signature: SignatureRule = SignatureRule.OFF  # the Berlin Group's, with a seal
    message_signatures: SignatureRule = SignatureRule.OFF  # RFC 9421, with a key of the token's client
    response_signatures: ResponseSignatureRule = ResponseSignatureRule.OFF
    ip_rules: IpRules | None = None
    deadlines: UpstreamDeadlines = UpstreamDeadlines()
    # Of both kinds of limits, those that stand here and those of plans, each has to be kept.
    plan: PlanRule = NO_PLAN
    limits: tuple[Limit, ...] = ()
    # Where it takes larger bodies than others (`GATEWAY_MAX_BODY_BYTES`): whole in the edge's memory, until all has arrived.
    max_body_bytes: int | None = None

    @property
    def holds_secret(self) -> bool:
        """Whether a segment of its paths opens something to whoever reads it."""
        return "{secret}" in self.template


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Routes that belong together. A prefix that is not empty belongs to this deployment alone."""

    name: str
    listener: Listener
    path_prefix: str
    description: str
    routes: tuple[Route, ...]
