"""The TPP behind a certificate: registered here, and let in by the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.admission.refusal import Refusal
from gateway.register.model import TppStatus

if TYPE_CHECKING:
    from gateway.admission.memory import Memory
    from gateway.register.model import Tpp
    from gateway.trust.verdict import Trusted


def registered_tpp(trusted: Trusted | None, tpps: Memory[Tpp]) -> Tpp | None:
    """Return the TPP that the certificate stands for, None for partners who are none; raises 401, `NotLoaded`."""
    if trusted is None or trusted.vouched is None:
        return None
    # Never empty: a QWAC without one is no QWAC (gateway.trust.judgement).
    return admitted_tpp(trusted.authorisation_number or "", tpps)


def admitted_tpp(number: str, tpps: Memory[Tpp]) -> Tpp:
    """Return the TPP with this authorisation number, unless the operator has barred it; raises 401, `NotLoaded`."""
    tpp = tpps.known(number)
    if tpp is None:
        raise Refusal("tpp.unknown", f"no TPP {number}")
    if tpp.status is not TppStatus.ACTIVE:
        raise Refusal("mtls.blocked", f"TPP {number} is {tpp.status}")
    return tpp
