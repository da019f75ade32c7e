"""What the fields of a deployment say together: a rule that could never apply, or never be met, is its author's mistake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.configuration.model import Fault
from gateway.plans.model import Subscription, TokenLocation
from gateway.policies.model import (
    MutualTls,
    ResponseSignatureRule,
    SelfSigned,
    SignatureRule,
    TokenBinding,
    TokenRule,
    Upstream,
)
from gateway.policies.terms import DEFAULT_TRUST_STORE, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.policies.bodies import DeploymentBody

_OF_CERTIFICATES: Final = (
    "allowed_sans",
    "allowed_cns",
    "allowed_certificates",
    "allowed_issuers",
    "max_chain_depth",
    "extended_key_usages",
    "roles",
    "self_signed",
    "trust_store",
)
_ANSWERED_BY_THE_EDGE: Final = frozenset({Upstream.EXPLAIN, Upstream.ACME})


def faults_of(body: DeploymentBody) -> tuple[Fault, ...]:
    """Return all that does not fit together, each fault once."""
    faults: dict[Fault, None] = {}
    for number, route in enumerate(body.routes):
        terms, place = Terms(body, route), f"routes[{number}]"
        for check in _CHECKS:
            faults |= dict.fromkeys(_placed(fault, terms, place) for fault in check(terms))
    faults |= dict.fromkeys(_doubles(body))
    return tuple(faults)


def _placed(fault: Fault, terms: Terms, place: str) -> Fault:
    """Say where: in the route, unless what is wrong is the deployment's word."""
    inherited = not terms.is_own(fault.field) and getattr(terms.deployment, fault.field, None) is not None
    return fault if inherited else Fault(f"{place}.{fault.field}", fault.problem)


def _of_certificates(terms: Terms) -> Iterator[Fault]:
    if terms.mtls is not MutualTls.OFF:
        if not terms.deployment.listener.asks_for_certificate:
            where = terms.deployment.listener.value
            yield Fault("mtls", f"the listener {where} asks nobody for a certificate: write off, or listener edge")
        return
    # What the deployment asks elsewhere is lifted where a route of its own says that there is no certificate.
    said = [field for field in _OF_CERTIFICATES if terms.of(field) and (terms.is_own(field) or not terms.is_own("mtls"))]
    for field in said:
        yield Fault(field, "asks something of a certificate, and mtls is off: leave it out, or ask for a certificate")


def _of_invalid_certificates(terms: Terms) -> Iterator[Fault]:
    is_said = terms.of("invalid_certificate") is not None and terms.is_own("invalid_certificate") >= terms.is_own("mtls")
    if is_said and terms.mtls is not MutualTls.OPTIONAL:
        yield Fault("invalid_certificate", f"says something where mtls is optional, and it is {terms.mtls}")


def _of_self_signed(terms: Terms) -> Iterator[Fault]:
    store = terms.of("trust_store", DEFAULT_TRUST_STORE)
    if terms.looks_at_certificates and terms.of("self_signed") is SelfSigned.REGISTERED and store != DEFAULT_TRUST_STORE:
        text = f"is for clients of TPPs, and the trust store is {store}: it would take what {DEFAULT_TRUST_STORE} has refused"
        yield Fault("self_signed", text)


def _of_tokens(terms: Terms) -> Iterator[Fault]:
    has_scopes = bool(terms.of("scopes"))
    if terms.looks_at_tokens and not has_scopes:
        yield Fault("token", f"is {terms.token} and there is no scope: name in scopes what a token must hold")
    if not terms.looks_at_tokens and terms.is_own("scopes") and has_scopes:
        yield Fault("scopes", "are asked of a token, and token is off: leave them out, or ask for a token")
    if terms.looks_at_tokens and not terms.deployment.listener.speaks_tls:
        yield Fault("token", "would travel in the clear: the listener welcome speaks no TLS")


def _of_token_binding(terms: Terms) -> Iterator[Fault]:
    binding = terms.of("token_binding", TokenBinding.REQUIRED)
    if not terms.looks_at_tokens:
        if terms.is_own("token_binding"):
            yield Fault("token_binding", "speaks of a token, and none is looked at: name scopes, or leave it out")
    elif binding is not TokenBinding.OFF and terms.mtls is MutualTls.OFF:
        text = f"is {binding}, and mtls is off: no certificate is there to be bound to. Ask for one, or write off"
        yield Fault("token_binding", text)


def _of_dpop_nonce(terms: Terms) -> Iterator[Fault]:
    # What the deployment asks elsewhere is lifted where a route of its own looks at no token.
    is_said = terms.of("dpop_nonce") is not None and (terms.is_own("dpop_nonce") or not terms.is_own("token"))
    if is_said and not terms.looks_at_tokens and terms.of("upstream") != Upstream.AUTHORIZATION:
        text = f"speaks of proofs beside tokens, and {terms.template} looks at no token: name scopes, or leave it out"
        yield Fault("dpop_nonce", text)


def _of_message_signatures(terms: Terms) -> Iterator[Fault]:
    rule = terms.of("message_signatures", SignatureRule.OFF)
    is_said = rule is not SignatureRule.OFF
    # What the deployment asks elsewhere is lifted where a route of its own looks at no token.
    if is_said and not terms.looks_at_tokens and (terms.is_own("message_signatures") or not terms.is_own("token")):
        text = f"is {rule}, by a key of the token's client, and {terms.template} looks at no token: name scopes, or write off"
        yield Fault("message_signatures", text)
    if rule is not SignatureRule.REQUIRED:
        return
    if terms.token is TokenRule.IF_PRESENTED:
        yield Fault("message_signatures", "is required, and token is if_presented: without one nobody's key could be asked for")
    if terms.of("signature") is SignatureRule.REQUIRED:
        yield Fault(
            "message_signatures", "is required, and so is signature: both fill the field Signature, require one of them"
        )


def _of_response_signatures(terms: Terms) -> Iterator[Fault]:
    is_said = terms.of("response_signatures", ResponseSignatureRule.OFF) is not ResponseSignatureRule.OFF
    if is_said and terms.of("upstream") in _ANSWERED_BY_THE_EDGE:
        yield Fault(
            "response_signatures", f"of what an upstream answers, and {terms.of('upstream')} is the edge itself: write off"
        )


def _of_upstreams(terms: Terms) -> Iterator[Fault]:
    if terms.of("upstream") is None:
        yield Fault("upstream", "is missing: name the upstream here or for the whole deployment")


def _of_plans(terms: Terms) -> Iterator[Fault]:
    plan = terms.of("plan")
    if plan is None or plan.subscription is Subscription.OFF:
        return
    if plan.location is None:
        if not terms.looks_at_certificates:
            yield Fault("plan", "nobody could be recognised: say where tokens stand (location), or ask for a certificate")
        return
    if not terms.deployment.listener.speaks_tls:
        yield Fault("plan", "its tokens would travel in the clear: the listener welcome speaks no TLS")
    if plan.location is TokenLocation.PATH and terms.template.split("/").count("{secret}") != 1:
        yield Fault("plan", "its tokens stand in the path, and this path has no segment {secret} for them")
    if plan.location is TokenLocation.AUTH and terms.looks_at_tokens:
        yield Fault("plan", "its tokens stand in Authorization, where the access token stands: choose another location")


_CHECKS: Final = (
    _of_upstreams,
    _of_certificates,
    _of_invalid_certificates,
    _of_self_signed,
    _of_tokens,
    _of_token_binding,
    _of_dpop_nonce,
    _of_message_signatures,
    _of_response_signatures,
    _of_plans,
)


def _doubles(body: DeploymentBody) -> Iterator[Fault]:
    """Two routes for one method and path would leave it to chance which checks apply."""
    seen: dict[tuple[str, str], int] = {}
    for number, route in enumerate(body.routes):
        shape = re.sub(r"\{[a-z_]+\}", "{}", route.path)
        for method in route.methods:
            first = seen.setdefault((shape, method), number)
            if first != number:
                yield Fault(f"routes[{number}].path", f"{method} {route.path} is there already, as routes[{first}]")
