"""The certificate of a request: presented where one is wanted, trusted wherever one is looked at, and of the kind asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.admission.conditions import require_conditions
from gateway.admission.refusal import Refusal
from gateway.admission.registered_certificates import Registered, registered_certificate
from gateway.policies.model import InvalidCertificate, MutualTls, TokenBinding, TokenRule
from gateway.trust.verdict import Distrust, Distrusted

if TYPE_CHECKING:
    from gateway.admission.request import Leaf, Request
    from gateway.policies.model import Route
    from gateway.trust.judgement import Judge
    from gateway.trust.verdict import Trusted


class Judges(Protocol):
    """Who judges certificates, by trust store."""

    def judge_of(self, store: str) -> Judge:
        """Return the judge of a trust store; raises `NotLoaded`."""


class Vouchers(Judges, Registered, Protocol):
    """Whoever may vouch for a certificate: authorities, and clients that have registered it."""


def presented_certificate(request: Request, route: Route, known: Vouchers, now: float) -> Trusted | None:
    """Return the judged certificate, None where the route does without one; `now` is epoch seconds. Raises `NotLoaded`."""
    leaf = request.connection.leaf if route.mtls is not MutualTls.OFF else None
    if leaf is None:
        _require_none_needed(request, route)
        return None
    try:
        return _good_certificate(leaf, route, known, now)
    except Refusal:
        if route.mtls is MutualTls.OPTIONAL and route.on_invalid_certificate is InvalidCertificate.IGNORE:
            return None
        raise


def _good_certificate(leaf: Leaf, route: Route, known: Vouchers, now: float) -> Trusted:
    try:
        trusted = known.judge_of(route.trust_store).require_trusted(leaf.der, digest=leaf.digest, now=now)
    except Distrusted as error:
        registered = registered_certificate(leaf, route, known, now) if error.distrust is Distrust.UNTRUSTED else None
        if registered is None:
            raise Refusal(error.distrust.value, str(error)) from error
        trusted = registered
    if route.certificate is not None:
        require_conditions(trusted, route.certificate)
    return trusted


def _require_none_needed(request: Request, route: Route) -> None:
    if route.mtls is not MutualTls.REQUIRED:
        return
    if route.token is not TokenRule.OFF and route.token_binding is not TokenBinding.OFF and request.authorization is not None:
        # Every token here is bound: a token that comes alone has been carried away from its certificate (RFC 8705 §3).
        raise Refusal("token.cnf_without_certificate")
    raise Refusal("mtls.missing")
