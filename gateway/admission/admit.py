"""One request's way in, on one page: each line is a check that raises, and the data is the order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.admission.addresses import require_address
from gateway.admission.certificates import presented_certificate
from gateway.admission.hosts import require_host
from gateway.admission.roles import require_role
from gateway.admission.routes import matched_route
from gateway.admission.targets import require_plain_target
from gateway.admission.tokens import active_token, owner_of, require_binding, require_owner, require_scope
from gateway.admission.tpps import registered_tpp

if TYPE_CHECKING:
    from gateway.admission.knowledge import Knowledge
    from gateway.admission.request import Request
    from gateway.admission.tokens import AccessToken
    from gateway.policies.model import Route
    from gateway.register.model import Tpp
    from gateway.trust.judgement import Trusted
    from psd2.certificates import Psd2Certificate


@dataclass(slots=True)
class Admission:
    """What has been established so far; complete when `admit` returns, and of use to the audit log when it raises."""

    route: Route | None = None
    trusted: Trusted | None = None
    tpp: Tpp | None = None
    token: AccessToken | None = None

    @property
    def certificate(self) -> Psd2Certificate | None:
        """The TPP's certificate, once an authority for such is found to vouch for it."""
        return self.trusted.psd2_certificate if self.trusted else None


def admit(request: Request, knowledge: Knowledge, now: float, admission: Admission) -> None:
    """Fill `admission`, or raise `Refusal`; `NotLoaded` where something has to be looked up first.

    `now` is epoch seconds. No line can move above what it needs.
    """
    require_plain_target(request.path, request.query)
    require_host(request)
    route = admission.route = matched_route(request, knowledge.routes)
    require_address(request, route)
    trusted = admission.trusted = presented_certificate(request, route, knowledge, now)
    certificate = admission.certificate
    tpp = admission.tpp = registered_tpp(certificate, knowledge.tpps)
    token = admission.token = active_token(request, route, knowledge.tokens, now)
    require_binding(token, request.connection.leaf if trusted else None, route)
    tpp = admission.tpp = tpp or owner_of(token, knowledge.tpps)
    require_owner(token, tpp, knowledge.clients)
    require_role(certificate, tpp, route)
    require_scope(token, route)
