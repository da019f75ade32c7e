"""The certificate of a request: presented where one is wanted, and trusted wherever one is presented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.admission.refusal import Refusal
from gateway.policies.model import MutualTls
from gateway.trust.judgement import Distrusted

if TYPE_CHECKING:
    from gateway.admission.request import Request
    from gateway.policies.model import Route
    from gateway.trust.judgement import Judge, Trusted


def presented_certificate(request: Request, route: Route, judge: Judge, now: float) -> Trusted | None:
    """Return the judged certificate, None only where the route lets one do without; `now` is epoch seconds."""
    leaf = request.connection.leaf
    if leaf is None:
        _require_none_needed(request, route)
        return None
    try:
        return judge.require_trusted(leaf.der, digest=leaf.digest, now=now)
    except Distrusted as error:
        raise Refusal(error.distrust.value, str(error)) from error


def _require_none_needed(request: Request, route: Route) -> None:
    if route.mtls is not MutualTls.REQUIRED:
        return
    if route.token_scope is not None and request.authorization is not None:
        # Every token here is bound: a token that comes alone has been carried away from its certificate (RFC 8705 §3).
        raise Refusal("token.cnf_without_certificate")
    raise Refusal("mtls.missing")
