"""The PSP role that a service needs (TS 119 495 §5.1, RTS (EU) 2018/389 Art. 34(3))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.told.vouched_certificates import Vouched
from gateway.admission.refusal import Refusal
from psd2.roles import format_roles

if TYPE_CHECKING:
    from gateway.policies.model import Route
    from gateway.register.model import Tpp
    from gateway.trust.verdict import Trusted
    from psd2.roles import PspRole


def granted_roles(trusted: Trusted | None, tpp: Tpp | None) -> frozenset[PspRole]:
    """Return the roles that certificate and register both grant: either may be older than the authority's last word.

    A registered certificate says nothing of roles: where the operator lets one in, the register's word is all there is.
    """
    if trusted is None or tpp is None or trusted.vouched is None:
        return frozenset()
    return tpp.roles if trusted.vouched is Vouched.REGISTERED else trusted.certificate.roles & tpp.roles


def require_role(trusted: Trusted | None, tpp: Tpp | None, route: Route) -> None:
    """Raise 401 unless one of the route's roles is granted."""
    if not route.roles or not route.roles.isdisjoint(granted_roles(trusted, tpp)):
        return
    certificate = trusted.psd2_certificate if trusted is not None else None
    in_certificate = format_roles(certificate.roles if certificate is not None else frozenset()) or "none"
    in_register = format_roles(tpp.roles if tpp is not None else frozenset()) or "none"
    raise Refusal(
        "psd2.role",
        f"needs {format_roles(route.roles)}, certificate {in_certificate}, register {in_register}",
        public_text=(
            f"This service needs the role {_alternatives(route.roles)}; "
            f"the certificate grants {in_certificate}, the register {in_register}."
        ),
    )


def _alternatives(roles: frozenset[PspRole]) -> str:
    return " or ".join(f"{role} ({role.licence})" for role in sorted(roles))
