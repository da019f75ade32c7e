"""Says in words what a deployment asks: whether mutual TLS is on, which routes have it off, and what each route wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.dpop.rule import NonceRule
from gateway.plans.model import Subscription
from gateway.policies.model import (
    InvalidCertificate,
    MutualTls,
    ResponseSignatureRule,
    SelfSigned,
    SignatureRule,
    TokenBinding,
    TokenRule,
)
from psd2.roles import format_roles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.configuration.snapshot import Snapshot
    from gateway.plans.model import PlanRule
    from gateway.policies.model import CertificatePolicy, Deployment, Route
    from gateway.policies.networks import IpRules

_MTLS = {
    MutualTls.OFF: "no client certificate is looked at",
    MutualTls.OPTIONAL: "a client certificate may be presented",
    MutualTls.REQUIRED: "a client certificate is required",
}


def described(deployment: Deployment, _snapshot: Snapshot) -> Mapping[str, object]:
    """Return what the deployment's page in the admin API says of it."""
    return {
        "mutual_tls": _mutual_tls(deployment),
        "routes_without_mutual_tls": [_name(route) for route in deployment.routes if route.mtls is not MutualTls.REQUIRED],
        "routes": {_name(route): list(asked(route)) for route in deployment.routes},
    }


def _mutual_tls(deployment: Deployment) -> str:
    modes = {route.mtls for route in deployment.routes}
    if modes == {MutualTls.REQUIRED}:
        return "on: every route requires a client certificate"
    if modes == {MutualTls.OFF}:
        return "off: no route looks at a client certificate"
    if MutualTls.REQUIRED not in modes:
        return "optional: no route requires a client certificate"
    return "on for some routes: others do without a client certificate"


def _name(route: Route) -> str:
    return f"{' '.join(sorted(route.methods))} {route.template}"


def asked(route: Route) -> Iterator[str]:
    """Give what a request of this route must bring, in the order in which it is asked."""
    if route.ip_rules is not None:
        yield _addresses(route.ip_rules)
    yield _certificate(route)
    if route.certificate is not None:
        yield from _conditions(route.certificate)
    if route.roles:
        yield f"it grants one of the roles {format_roles(route.roles)}"
    if route.token is not TokenRule.OFF:
        yield from _token(route)
    if route.dpop_nonce is not None:
        needed = "must hold a" if route.dpop_nonce is NonceRule.REQUIRED else "need no"
        yield f"proofs of possession {needed} nonce of this server"
    if route.plan.subscription is not Subscription.OFF:
        yield _plan(route.plan)
    yield from (limit.in_words for limit in route.limits)
    if route.signature is not SignatureRule.OFF:
        yield "requests must be signed" if route.signature is SignatureRule.REQUIRED else "a signature that is there is judged"
    yield from _message_signatures(route)


def _message_signatures(route: Route) -> Iterator[str]:
    if route.message_signatures is SignatureRule.REQUIRED:
        yield "requests must bear an HTTP message signature by a key of the token's client"
    elif route.message_signatures is SignatureRule.OPTIONAL:
        yield "an HTTP message signature that is there must be valid, by a key of the token's client"
    if route.response_signatures is not ResponseSignatureRule.OFF:
        is_always = route.response_signatures is ResponseSignatureRule.ALWAYS
        yield "answers are signed" if is_always else "answers are signed where Accept-Signature asks for it"


def _plan(plan: PlanRule) -> str:
    needed = "must be" if plan.subscription is Subscription.REQUIRED else "may be"
    place = f"a token in {plan.location}{f' {plan.name}' if plan.name else ''}" if plan.location else "its certificate"
    return f"the caller {needed} a plan's subscriber, by {place}{' or its certificate' if plan.location else ''}"


def _addresses(rules: IpRules) -> str:
    allowed = f"from {_listed(rules.allow.networks)}" if rules.allow else "from any address"
    return f"{allowed} but not from {_listed(rules.deny.networks)}" if rules.deny else allowed


def _certificate(route: Route) -> str:
    text = _MTLS[route.mtls]
    if route.mtls is MutualTls.OFF:
        return text
    text += f", of the trust store {route.trust_store}"
    if route.mtls is MutualTls.OPTIONAL:
        bad = "refused" if route.on_invalid_certificate is InvalidCertificate.REJECT else "taken for none"
        text += f"; one that is no good is {bad}"
    if route.self_signed is SelfSigned.REGISTERED:
        text += "; a self-signed one is taken that a client has registered"
    return text


def _conditions(policy: CertificatePolicy) -> Iterator[str]:
    if policy.allowed_sans:
        yield f"one of its alternative names is like {_listed(policy.allowed_sans)}"
    if policy.allowed_cns:
        yield f"its common name is like {_listed(policy.allowed_cns)}"
    if policy.allowed_certificates:
        yield f"it is one of the {len(policy.allowed_certificates)} certificates listed"
    if policy.allowed_issuers:
        yield f"one of the {len(policy.allowed_issuers)} CAs listed stands in its chain"
    if policy.max_chain_depth is not None:
        yield f"at most {policy.max_chain_depth} CAs stand above it"
    if policy.extended_key_usages:
        yield f"its extended key usages include {_listed(sorted(policy.extended_key_usages))}"


def _token(route: Route) -> Iterator[str]:
    scopes = _listed(route.scopes)
    needed = "a token is required" if route.token is TokenRule.REQUIRED else "a token that is there is judged"
    yield f"{needed}, with one of the scopes {scopes}"
    if route.token_binding is not TokenBinding.OFF:
        bound = "must be bound" if route.token_binding is TokenBinding.REQUIRED else "is, where it is bound, bound"
        yield f"the token {bound} to the certificate presented"
    else:
        yield "the token may come with any certificate, or with none"


def _listed(values: object) -> str:
    return ", ".join(str(value) for value in values) if isinstance(values, tuple | list) else str(values)
