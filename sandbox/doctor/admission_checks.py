"""What the gateway would object to in who the certificate belongs to and what it grants: TPP, then role.

Foretold from the sandbox's register; the gateway's own checks are gateway/admission/tpps.py and roles.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.roles import format_roles
from sandbox.doctor import refusals
from sandbox.doctor.model import Finding, FindingCode, Level
from sandbox.doctor.refusals import REFUSALS
from sandbox.doctor.words import SERVICES, listed, shown
from sandbox.tpps.model import TppStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.certificates import Psd2Certificate
    from psd2.roles import PspRole
    from sandbox.doctor.case import Case, Check
    from sandbox.tpps.model import Tpp


def _registration(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    number, history = certificate.authorisation_number, case.surroundings.history
    if number is None:
        return
    if case.tpp is not None:
        if case.tpp.status is TppStatus.BLOCKED:
            yield _blocked(f"the operator has blocked its TPP, {case.tpp.name}", "ask the operator why")
        return
    if history is not None and history.record is not None and history.record.authorisation_number == number:
        # The gateway keeps a TPP that was taken out as a blocked one.
        yield _blocked("its TPP was registered here and has been removed", "register the TPP again: `sandbox tpp register`")
    elif history is not None or not _is_registrable(number):
        yield Finding(
            code=FindingCode.TPP_UNKNOWN,
            level=Level.FAULT,
            text=f"no TPP {shown(number)} is registered with this sandbox",
            remedy="the organizationIdentifier of a registered TPP: `sandbox tpp register NAME --authorisation-number …`",
            clause="RFC 8705 §2.1, BG IG 1.3.8 §3",
            refusal=REFUSALS[refusals.TPP_UNKNOWN],
        )


def _blocked(text: str, remedy: str) -> Finding:
    return Finding(
        code=FindingCode.TPP_BLOCKED,
        level=Level.FAULT,
        text=text,
        remedy=remedy,
        clause="BG IG 1.3.8 §14.11.1",
        refusal=REFUSALS[refusals.BLOCKED],
    )


def _is_registrable(number: str) -> bool:
    try:
        AuthorisationNumber.parse(number)
    except InvalidAuthorisationNumber:
        return False
    return True


def usable_roles(case: Case, certificate: Psd2Certificate) -> frozenset[PspRole]:
    """Return the roles that open a service: those that certificate and register both grant, as far as either is known."""
    services = certificate.roles & SERVICES.keys()
    return services & case.tpp.roles if case.tpp else services


def _roles(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    if certificate.statements.psd2 is None:
        return
    in_certificate = format_roles(certificate.roles) or "no role"
    usable = usable_roles(case, certificate)
    if not usable:
        register = f", the register {format_roles(case.tpp.roles)}" if case.tpp else ""
        text = f"it grants {in_certificate}{register}: no service is opened by that"
        yield _role_finding(case, code=FindingCode.ROLES, level=Level.FAULT, text=text)
    elif case.tpp is not None:
        yield from _half_granted(case, certificate.roles, case.tpp)


def _half_granted(case: Case, certified: frozenset[PspRole], tpp: Tpp) -> Iterator[Finding]:
    """Yield the roles that certificate or register grant alone, which is not enough."""
    for role, service in sorted(SERVICES.items()):
        code = FindingCode.ROLE_MISSING if role in tpp.roles else FindingCode.ROLE_UNREGISTERED
        text = f"{tpp.name} is registered with {role} ({role.licence}), which the certificate does not grant"
        if code is FindingCode.ROLE_UNREGISTERED:
            text = f"it grants {role} ({role.licence}), with which {tpp.name} is not registered"
        if (role in certified) != (role in tpp.roles):
            yield _role_finding(case, code=code, level=Level.DEPARTURE, text=text, only_for=service)


def _role_finding(case: Case, *, code: FindingCode, level: Level, text: str, only_for: str | None = None) -> Finding:
    wanted = sorted(case.tpp.roles & SERVICES.keys()) if case.tpp else []
    return Finding(
        code=code,
        level=level,
        text=text,
        remedy=f"a certificate with {listed(wanted or sorted(SERVICES))}: {case.command('issue')}",
        clause="TS 119 495 §5.1, RTS (EU) 2018/389 Art. 34(3)",
        refusal=None if case.specimen.is_seal else REFUSALS[refusals.ROLE],
        only_for=only_for,
    )


ADMISSION_CHECKS: Final[tuple[Check, ...]] = (_registration, _roles)
