"""Test certificates with a fault: each wrong in exactly one way, and what a gateway should answer to it.

The lint proves the "exactly one": issuing one of these fails unless its findings are the ones named here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from psd2.qcstatements import encode_qcstatements, flatten_roles
from psd2.qualified import QcType
from psd2.roles import PspRole
from sandbox.ca.errors import FaultUnavailable
from sandbox.ca.lint import LintCode
from sandbox.ca.model import Fault, TppCertificateKind
from sandbox.ca.profiles import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from psd2.qualified import Psd2Statement, QcStatements
    from sandbox.ca.content import Content
    from sandbox.ca.orders import Order

_EXPIRED_FOR: Final = timedelta(days=1)
_EXPIRED_LIFE: Final = timedelta(days=30)
_VALID_IN: Final = timedelta(days=7)
# Whom a wrong-name certificate names; the register takes nobody of this identifier, for anybody may have such a certificate.
NOT_IN_THE_REGISTER: Final = "UNREGISTERED"


class SignedBy(StrEnum):
    """Whose key signs a test certificate."""

    ISSUER = "issuer"
    STRANGER = "stranger"  # an authority that nobody trusts, made for the occasion
    ITSELF = "itself"


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a gateway answers: HTTP status, Berlin Group message code, and the reason in its log."""

    status: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One fault: what it lets a developer test, what it changes, and the refusal to expect (None: accepted).

    `findings` are the lint's; `unavailable` says why it can't be made here.
    """

    shows: str
    refusal: Refusal | None
    findings: frozenset[LintCode] = frozenset()
    change: Callable[[Order, datetime], Content] | None = None
    signed_by: SignedBy = SignedBy.ISSUER
    revoked: bool = False
    unavailable: str | None = None
    kinds: frozenset[TppCertificateKind] = frozenset(TppCertificateKind)


def _expired(order: Order, now: datetime) -> Content:
    end = now.replace(microsecond=0) - _EXPIRED_FOR
    return replace(order.content, not_before=end - _EXPIRED_LIFE, not_after=end)


def _not_yet_valid(order: Order, now: datetime) -> Content:
    start = now.replace(microsecond=0) + _VALID_IN
    return replace(order.content, not_before=start, not_after=max(order.content.not_after, start + _EXPIRED_LIFE))


def _wrong_role(order: Order, _now: datetime) -> Content:
    """Grant one role that the TPP is not registered with; PSP_AS first, for it opens no route of a TPP."""
    statements, psd2 = _psd2_of(order)
    others = [role for role in PspRole if role not in psd2.roles]
    if not others:
        raise FaultUnavailable("wrong-role: the TPP is registered with every role there is")
    wrong = replace(psd2, roles=frozenset(others[:1]))
    return replace(order.content, qc_statements=encode_qcstatements(replace(statements, psd2=wrong)))


def _wrong_name(order: Order, _now: datetime) -> Content:
    """Name a firm that the register doesn't know, at the same authority."""
    attributes = [
        x509.NameAttribute(attribute.oid, _unregistered(str(attribute.value)))
        if attribute.oid == NameOID.ORGANIZATION_IDENTIFIER
        else attribute
        for attribute in order.content.subject
    ]
    return replace(order.content, subject=x509.Name(attributes))


def _unregistered(number: str) -> str:
    prefix, nca, _identifier = number.split("-", 2)
    return f"{prefix}-{nca}-{NOT_IN_THE_REGISTER}"


def _flat_encoded(order: Order, _now: datetime) -> Content:
    statements, _psd2 = _psd2_of(order)
    return replace(order.content, qc_statements=flatten_roles(encode_qcstatements(statements)))


def _missing_qc(order: Order, _now: datetime) -> Content:
    return replace(order.content, qc_statements=None)


def _qseal_as_qwac(order: Order, _now: datetime) -> Content:
    statements, _psd2 = _psd2_of(order)
    sealed = replace(statements, types=frozenset({QcType.ESEAL}))
    return replace(order.content, qc_statements=encode_qcstatements(sealed))


def _wrong_eku(order: Order, _now: datetime) -> Content:
    return replace(order.content, extended_key_usage=(Purpose.SERVER_AUTH,))


def _psd2_of(order: Order) -> tuple[QcStatements, Psd2Statement]:
    if order.statements is None or order.statements.psd2 is None:
        raise FaultUnavailable("this profile has no qcStatements to put a fault into")
    return order.statements, order.statements.psd2


_QWAC_ONLY: Final = frozenset({TppCertificateKind.QWAC})
_UNTRUSTED: Final = Refusal(401, "CERTIFICATE_INVALID", "mtls.untrusted")

FAULTS: Final[Mapping[Fault, FaultSpec]] = MappingProxyType(
    {
        Fault.EXPIRED: FaultSpec(
            shows="a certificate that was not renewed in time",
            refusal=Refusal(401, "CERTIFICATE_EXPIRED", "mtls.expired"),
            findings=frozenset({LintCode.VALIDITY_EXPIRED}),
            change=_expired,
        ),
        Fault.NOT_YET_VALID: FaultSpec(
            shows="a renewed certificate put to use too early, or a clock that runs behind",
            refusal=Refusal(401, "CERTIFICATE_INVALID", "mtls.not_yet_valid"),
            findings=frozenset({LintCode.VALIDITY_FUTURE}),
            change=_not_yet_valid,
        ),
        Fault.REVOKED: FaultSpec(
            shows="a certificate whose authorisation was withdrawn",
            refusal=Refusal(401, "CERTIFICATE_REVOKED", "mtls.revoked"),
            revoked=True,
        ),
        Fault.WRONG_ROLE: FaultSpec(
            shows="a certificate without the role that the request needs",
            refusal=Refusal(401, "ROLE_INVALID", "psd2.role"),
            findings=frozenset({LintCode.QC_ROLES}),
            change=_wrong_role,
        ),
        Fault.WRONG_NAME: FaultSpec(
            shows="a certificate of a firm that the bank's register doesn't know",
            refusal=Refusal(401, "CERTIFICATE_INVALID", "tpp.unknown"),
            findings=frozenset({LintCode.SUBJECT}),
            change=_wrong_name,
        ),
        Fault.UNKNOWN_ISSUER: FaultSpec(
            shows="a certificate from an authority that is on no trusted list",
            refusal=_UNTRUSTED,
            findings=frozenset({LintCode.ISSUER}),
            signed_by=SignedBy.STRANGER,
        ),
        Fault.SELF_SIGNED: FaultSpec(
            shows="a certificate that the TPP made itself",
            refusal=_UNTRUSTED,
            findings=frozenset({LintCode.ISSUER}),
            signed_by=SignedBy.ITSELF,
        ),
        Fault.FLAT_ENCODED: FaultSpec(
            shows="roles encoded in one flat SEQUENCE, as some authorities have issued them; read in spite of it",
            refusal=None,
            findings=frozenset({LintCode.QC_ENCODING}),
            change=_flat_encoded,
        ),
        Fault.MISSING_QC: FaultSpec(
            shows="an ordinary TLS certificate, without qualified statements",
            refusal=Refusal(401, "CERTIFICATE_INVALID", "mtls.not_a_qwac"),
            findings=frozenset({LintCode.QC_MISSING}),
            change=_missing_qc,
        ),
        Fault.SHA1_SIGNED: FaultSpec(
            shows="a certificate signed with a broken hash",
            refusal=_UNTRUSTED,
            unavailable="the cryptography library signs nothing with SHA-1 any more",
        ),
        Fault.QSEAL_AS_QWAC: FaultSpec(
            shows="a certificate for electronic seals, presented in TLS",
            refusal=Refusal(401, "CERTIFICATE_INVALID", "mtls.not_a_qwac"),
            findings=frozenset({LintCode.QC_TYPE}),
            change=_qseal_as_qwac,
            kinds=_QWAC_ONLY,
        ),
        Fault.WRONG_EKU: FaultSpec(
            shows="a certificate for servers only, without clientAuth",
            refusal=Refusal(401, "CERTIFICATE_INVALID", "mtls.eku"),
            findings=frozenset({LintCode.EXTENDED_KEY_USAGE}),
            change=_wrong_eku,
            kinds=_QWAC_ONLY,
        ),
    },
)


def fault_name(text: Fault | str) -> Fault:
    """Read a fault's name. Raises FaultUnavailable."""
    try:
        return Fault(text)
    except ValueError as error:
        raise FaultUnavailable(f"{text[:64]!r} is no fault: {', '.join(Fault)}") from error


def fault_spec(fault: Fault, kind: TppCertificateKind) -> FaultSpec:
    """Return what `fault` means. Raises FaultUnavailable if it cannot be made, or makes no sense for this kind."""
    spec = FAULTS[fault]
    if spec.unavailable:
        raise FaultUnavailable(f"{fault}: {spec.unavailable}")
    if kind not in spec.kinds:
        raise FaultUnavailable(f"{fault}: makes no sense for a {kind}, only for a {', '.join(sorted(spec.kinds))}")
    return spec
