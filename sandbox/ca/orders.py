"""From profile and register to what ought to stand in a certificate, and what its lint compares it with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from psd2.qcstatements import encode_qcstatements
from psd2.qualified import PdsLocation, Psd2Statement, QcStatements
from sandbox.ca.content import Content, authority_subject, tpp_subject
from sandbox.ca.lint import Expectation

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.ca.content import PkiAddresses
    from sandbox.ca.issuance import Issuer
    from sandbox.ca.keys import KeyRules, PublicKey
    from sandbox.ca.model import TppSubject
    from sandbox.ca.platform_certificates import PlatformCertificate
    from sandbox.ca.profiles import AuthorityProfile, LeafProfile, Operator

_SEAL_NAME_SUFFIX: Final = " seal"
_MAX_COMMON_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Order:
    """A certificate as it ought to be: its content, the statements in it in the clear, and its longest life."""

    content: Content
    longest: timedelta
    statements: QcStatements | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What every order needs: serial number, key, time, and where revocations are published."""

    serial: int
    public_key: PublicKey
    now: datetime
    addresses: PkiAddresses | None


def authority_order(profile: AuthorityProfile, operator: Operator, basis: Basis) -> Order:
    """Order the certificate of an authority; it looks `backdated_days` old (see profiles.toml)."""
    start = _whole_seconds(basis.now) - timedelta(days=profile.backdated_days)
    content = Content(
        serial=basis.serial,
        subject=authority_subject(operator, profile.common_name),
        public_key=basis.public_key,
        not_before=start,
        not_after=start + timedelta(days=profile.valid_days),
        key_usage=profile.key_usage,
        path_length=profile.path_length,
        policies=profile.policies,
        addresses=basis.addresses,
    )
    return Order(content=content, longest=timedelta(days=profile.valid_days))


def tpp_order(profile: LeafProfile, tpp: TppSubject, basis: Basis, *, disclosure: PdsLocation, issuer: Issuer) -> Order:
    """Order a QWAC or a QSealC (TS 119 495 §5)."""
    statements = _statements(profile, tpp, disclosure)
    start, end = _life(profile, basis.now, issuer)
    content = Content(
        serial=basis.serial,
        subject=tpp_subject(tpp, common_name=tpp.domain if profile.domain else _seal_name(tpp)),
        public_key=basis.public_key,
        not_before=start,
        not_after=end,
        key_usage=profile.key_usage,
        extended_key_usage=profile.extended_key_usage,
        policies=profile.policies,
        dns_names=(tpp.domain,) if profile.domain else (),
        qc_statements=encode_qcstatements(statements) if statements else None,
        addresses=basis.addresses,
    )
    return Order(content=content, longest=_longest(profile), statements=statements)


def platform_order(
    profile: LeafProfile,
    operator: Operator,
    basis: Basis,
    *,
    wanted: PlatformCertificate,
    issuer: Issuer,
) -> Order:
    """Order a certificate of the platform itself: server, internal caller, OCSP signer."""
    start, end = _life(profile, basis.now, issuer)
    content = Content(
        serial=basis.serial,
        subject=authority_subject(operator, wanted.common_name),
        public_key=basis.public_key,
        not_before=start,
        not_after=end,
        key_usage=profile.key_usage,
        extended_key_usage=profile.extended_key_usage,
        policies=profile.policies,
        dns_names=wanted.names,
        ip_addresses=wanted.ip_addresses,
        ocsp_no_check=profile.ocsp_no_check,
        addresses=basis.addresses,
    )
    return Order(content=content, longest=_longest(profile))


def expectation(order: Order, *, issuer: Issuer, now: datetime, key_rules: KeyRules) -> Expectation:
    """Tell the lint what to compare with."""
    life = (issuer.certificate.not_valid_before_utc, issuer.certificate.not_valid_after_utc) if issuer.certificate else None
    return Expectation(
        content=order.content,
        statements=order.statements,
        issuer_name=issuer.subject,
        issuer_key=issuer.key.public_key(),
        issuer_life=life,
        longest=order.longest,
        now=now,
        key_rules=key_rules,
    )


def _statements(profile: LeafProfile, tpp: TppSubject, disclosure: PdsLocation) -> QcStatements | None:
    if profile.qc_type is None:
        return None
    return QcStatements(
        compliance=True,
        types=frozenset({profile.qc_type.qc_type}),
        sscd=profile.qc_sscd,
        pds=(disclosure,),
        psd2=Psd2Statement(roles=tpp.roles, nca_name=tpp.nca_name, nca_id=tpp.nca_id),
    )


def _seal_name(tpp: TppSubject) -> str:
    """Name the seal after the firm (EN 319 412-3 §4.2.1: the name commonly used by the subject)."""
    return tpp.organisation[: _MAX_COMMON_NAME - len(_SEAL_NAME_SUFFIX)].rstrip() + _SEAL_NAME_SUFFIX


def _life(profile: LeafProfile, now: datetime, issuer: Issuer) -> tuple[datetime, datetime]:
    """Start a little early, for clocks that run behind; end no later than the issuer (RFC 5280 §6.1)."""
    second = _whole_seconds(now)
    start, end = second - timedelta(minutes=profile.backdated_minutes), second + timedelta(days=profile.valid_days)
    if issuer.certificate is None:
        return start, end
    return max(start, issuer.certificate.not_valid_before_utc), min(end, issuer.certificate.not_valid_after_utc)


def _longest(profile: LeafProfile) -> timedelta:
    return timedelta(days=profile.valid_days, minutes=profile.backdated_minutes)


def _whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)  # X.509 times have whole seconds (RFC 5280 §4.1.2.5)
