"""Reads a document of the kind `deployments`: what its routes ask, and where they say nothing, the deployment's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.configuration.bodies import read_body
from gateway.configuration.model import DocumentRefused
from gateway.limits.bodies import route_limits
from gateway.plans.model import NO_PLAN, PlanRule
from gateway.policies.bodies import DeploymentBody
from gateway.policies.coherence import faults_of
from gateway.policies.model import (
    CertificatePolicy,
    Deployment,
    ErrorStyle,
    InvalidCertificate,
    ResponseSignatureRule,
    Route,
    SelfSigned,
    SignatureRule,
    TokenBinding,
    UpstreamDeadlines,
)
from gateway.policies.names import NamePattern
from gateway.policies.networks import IpRules, NetworkSet, read_network
from gateway.policies.terms import DEFAULT_TRUST_STORE, Terms

if TYPE_CHECKING:
    from gateway.configuration.model import Document
    from gateway.limits.model import Limit
    from gateway.plans.bodies import PlanRuleBody
    from gateway.policies.bodies import DeadlinesBody, IpRulesBody

_NO_CERTIFICATE_POLICY: Final = CertificatePolicy()


def parse(document: Document) -> Deployment:
    """Return the deployment; raises `DocumentRefused` with every fault."""
    body = read_body(DeploymentBody, document)
    faults = faults_of(body)
    if faults:
        raise DocumentRefused(faults)
    return Deployment(
        name=document.name,
        listener=body.listener,
        path_prefix=body.path_prefix,
        description=body.description,
        routes=tuple(_route(document.name, body, Terms(body, route)) for route in body.routes),
    )


def _route(deployment: str, body: DeploymentBody, terms: Terms) -> Route:
    return Route(
        deployment=deployment,
        listener=body.listener,
        upstream=terms.of("upstream"),
        template=terms.template,
        methods=frozenset(terms.route.methods),
        errors=terms.of("errors", ErrorStyle.PROBLEM),
        **_identity_terms(terms),
        signature=terms.of("signature", SignatureRule.OFF),
        message_signatures=terms.of("message_signatures", SignatureRule.OFF) if terms.looks_at_tokens else SignatureRule.OFF,
        response_signatures=terms.of("response_signatures", ResponseSignatureRule.OFF),
        plan=_plan(terms.of("plan")),
        limits=_limits(deployment, terms),
        ip_rules=_ip_rules(terms.of("ip_rules")),
        deadlines=_deadlines(terms.of("deadlines")),
        max_body_bytes=terms.of("max_body_bytes"),
    )


def _identity_terms(terms: Terms) -> dict[str, Any]:
    """Return what is asked of certificate and token."""
    policy = _certificate_policy(terms)
    return {
        "mtls": terms.mtls,
        "on_invalid_certificate": terms.of("invalid_certificate", InvalidCertificate.REJECT),
        "self_signed": terms.of("self_signed", SelfSigned.OFF) if terms.looks_at_certificates else SelfSigned.OFF,
        "trust_store": terms.of("trust_store", DEFAULT_TRUST_STORE),
        "certificate": None if policy == _NO_CERTIFICATE_POLICY else policy,
        "roles": frozenset(terms.of("roles", ()) if terms.looks_at_certificates else ()),
        "token": terms.token,
        "scopes": tuple(terms.of("scopes", ())) if terms.looks_at_tokens else (),
        "token_binding": terms.of("token_binding", TokenBinding.REQUIRED),
        "dpop_nonce": terms.of("dpop_nonce"),
    }


def _certificate_policy(terms: Terms) -> CertificatePolicy:
    if not terms.looks_at_certificates:
        return _NO_CERTIFICATE_POLICY
    return CertificatePolicy(
        allowed_sans=_patterns(terms.of("allowed_sans", ())),
        allowed_cns=_patterns(terms.of("allowed_cns", ())),
        allowed_certificates=frozenset(terms.of("allowed_certificates", ())),
        allowed_issuers=frozenset(terms.of("allowed_issuers", ())),
        max_chain_depth=terms.of("max_chain_depth"),
        extended_key_usages=frozenset(terms.of("extended_key_usages", ())),
    )


def _plan(body: PlanRuleBody | None) -> PlanRule:
    if body is None:
        return NO_PLAN
    return PlanRule(subscription=body.subscription, location=body.location, name=body.said_name)


def _limits(deployment: str, terms: Terms) -> tuple[Limit, ...]:
    """Return the limits: those of the deployment are counted together for all routes that have none of their own."""
    route = f"{' '.join(sorted(terms.route.methods))} {terms.template}"
    scope = f"route {deployment}: {route}" if terms.is_own("limits") else f"deployment {deployment}"
    return route_limits(terms.of("limits", ()), scope=scope)


def _patterns(written: list[str]) -> tuple[NamePattern, ...]:
    return tuple(NamePattern.parse(text) for text in written)


def _ip_rules(body: IpRulesBody | None) -> IpRules | None:
    if body is None or not (body.allow or body.deny):
        return None
    return IpRules(allow=_networks(body.allow), deny=_networks(body.deny))


def _networks(written: list[str]) -> NetworkSet:
    return NetworkSet(read_network(text) for text in written)


def _deadlines(body: DeadlinesBody | None) -> UpstreamDeadlines:
    if body is None:
        return UpstreamDeadlines()
    return UpstreamDeadlines(head_seconds=body.head_seconds, stall_seconds=body.stall_seconds)
