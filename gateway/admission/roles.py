"""The PSP role that a service needs (TS 119 495 §5.1, RTS (EU) 2018/389 Art. 34(3))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.admission.refusal import Refusal
from psd2.roles import format_roles

if TYPE_CHECKING:
    from gateway.policies.model import Route
    from psd2.certificates import Psd2Certificate


def require_role(certificate: Psd2Certificate | None, route: Route) -> None:
    """Raise 401 unless the certificate grants the route's role."""
    if route.role is None:
        return
    granted = certificate.roles if certificate is not None else frozenset()
    if route.role not in granted:
        has = format_roles(granted) or "none"
        raise Refusal(
            "psd2.role",
            f"needs {route.role}, has {has}",
            public_text=f"This service needs the role {route.role} ({route.role.licence}); the certificate grants {has}.",
        )
