"""Issuing to TPPs: from the register's data and a key to a recorded QWAC or QSealC, right or wrong on demand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sandbox.ca.content import pki_addresses
from sandbox.ca.csr import read_csr
from sandbox.ca.errors import CsrRefused, FaultUnavailable, TooManyCertificates
from sandbox.ca.faults import FaultSpec, SignedBy, fault_spec
from sandbox.ca.issuance import Issuer, issue, pem_of, record_of
from sandbox.ca.keys import key_sha256, make_key, private_pem
from sandbox.ca.model import IssuedCertificate, RevocationReason
from sandbox.ca.orders import Basis, authority_order, expectation, tpp_order
from sandbox.ca.profiles import AuthorityName, ProfileName
from sandbox.ca.quota import require_quota

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography import x509

    from psd2.clock import Clock
    from psd2.qualified import PdsLocation
    from sandbox.ca.authorities import Authorities
    from sandbox.ca.csr import SigningRequest
    from sandbox.ca.keys import PrivateKey, PublicKey
    from sandbox.ca.model import CertificateRecord, Fault, TppCertificateKind, TppSubject
    from sandbox.ca.orders import Order
    from sandbox.ca.profiles import LeafProfile, Profiles
    from sandbox.ca.quota import IssuingLimits
    from sandbox.ca.records import CertificateRecords, Issuing
    from sandbox.ca.revocations import Revocations

_DAY: Final = timedelta(days=1)
_RIGHT: Final = FaultSpec(shows="a certificate as it should be", refusal=None)
_STRANGER_NAME: Final = "Authority That Nobody Trusts"
_LABEL: Final = "PSD2 sandbox test certificate, fault: {fault}"


@dataclass(frozen=True, slots=True)
class _Key:
    """The key to certify; the private half only if it was made here."""

    public: PublicKey
    private: PrivateKey | None = field(repr=False)
    request: SigningRequest | None = None


class TppCertificates:
    """Issues certificates to TPPs."""

    def __init__(
        self,
        *,
        records: CertificateRecords,
        authorities: Authorities,
        revocations: Revocations,
        profiles: Profiles,
        clock: Clock,
        random_serial: Callable[[], int],
        pki_base: str,
        disclosure: PdsLocation,
        limits: IssuingLimits,
    ) -> None:
        """`disclosure` is the PKI disclosure statement that QcPDS points to (EN 319 412-5 §4.3.4)."""
        self._records = records
        self._authorities = authorities
        self._revocations = revocations
        self._profiles = profiles
        self._clock = clock
        self._random_serial = random_serial
        self._addresses = pki_addresses(pki_base, AuthorityName.TPP_ISSUING)
        self._disclosure = disclosure
        self._limits = limits

    def issue(
        self,
        *,
        tpp: TppSubject,
        kind: TppCertificateKind,
        csr: bytes | None,
        fault: Fault | None = None,
        replaces: str | None = None,
    ) -> IssuedCertificate:
        """Check, build, lint, sign, record.

        Raises CsrRefused, FaultUnavailable, TooManyCertificates, IssuingLimitReached.
        """
        spec = fault_spec(fault, kind) if fault else _RIGHT
        key = self._key(self._profiles.profiles[ProfileName(kind)], csr)
        now = self._clock.now()
        # Counting and recording belong together: many at the same moment must not slip past a limit.
        with self._records.issuing(tpp.name, tpp.authorisation_number) as issuing:
            self._require_room(tpp, issuing, now)
            order = self._order(tpp, kind, key.public, now, fault)
            issuer = self._issuer(spec, order, key, now)
            certificate = self._signed(order, spec, issuer, now)
            record = record_of(certificate, ca=issuer.ca, profile=kind, now=now, tpp=tpp, fault=fault, replaces=replaces)
            issuing.add(record)
        if spec.revoked:
            self._revocations.revoke(record.serial, RevocationReason.PRIVILEGE_WITHDRAWN)
        notes = key.request.notes(order.content.subject) if key.request else ()
        return _issued(record, key, kind=kind, certificate=certificate, issuer=issuer, notes=notes)

    def _require_room(self, tpp: TppSubject, issuing: Issuing, now: datetime) -> None:
        most = self._profiles.limits.certificates_per_tpp
        if issuing.count_valid(now=now) >= most:
            raise TooManyCertificates(f"{tpp.name} holds {most} valid certificates, which is the most: revoke some first")
        keep_expired = timedelta(days=self._profiles.crl.keep_expired_days)
        lives = issuing.lives(issued_after=now - _DAY, ended_after=now - keep_expired)
        require_quota(lives, self._limits, now=now, keep_expired=keep_expired)

    def _key(self, profile: LeafProfile, csr: bytes | None) -> _Key:
        if csr is None:
            private = make_key(profile.key)
            return _Key(public=private.public_key(), private=private)
        request = read_csr(csr, self._profiles.csr)
        if self._records.is_compromised(key_sha256(request.public_key)):
            raise CsrRefused("csr.compromised_key", "a certificate over this key was revoked as compromised: make a new key")
        return _Key(public=request.public_key, private=None, request=request)

    def _order(self, tpp: TppSubject, kind: TppCertificateKind, key: PublicKey, now: datetime, fault: Fault | None) -> Order:
        order = tpp_order(
            self._profiles.profiles[ProfileName(kind)],
            tpp,
            Basis(serial=self._random_serial(), public_key=key, now=now, addresses=self._addresses),
            disclosure=self._disclosure,
            issuer=self._authorities.issuer(AuthorityName.TPP_ISSUING),
        )
        return replace(order, content=replace(order.content, comment=_LABEL.format(fault=fault))) if fault else order

    def _issuer(self, spec: FaultSpec, order: Order, key: _Key, now: datetime) -> Issuer:
        match spec.signed_by:
            case SignedBy.ISSUER:
                return self._authorities.issuer(AuthorityName.TPP_ISSUING)
            case SignedBy.STRANGER:
                return self._stranger(now)
            case SignedBy.ITSELF:
                if key.private is None:
                    raise FaultUnavailable("self-signed: needs the private key, so send no signing request")
                return Issuer(SignedBy.ITSELF, order.content.subject, key.private)

    def _stranger(self, now: datetime) -> Issuer:
        """Make an authority that nobody trusts; nobody keeps its key either."""
        profile = self._profiles.authorities[AuthorityName.TPP_ISSUING].model_copy(update={"common_name": _STRANGER_NAME})
        key = make_key(profile.key)
        basis = Basis(serial=self._random_serial(), public_key=key.public_key(), now=now, addresses=None)
        order = authority_order(profile, self._profiles.authority, basis)
        itself = Issuer(SignedBy.STRANGER, order.content.subject, key)
        expected = expectation(order, issuer=itself, now=now, key_rules=self._profiles.csr)
        return replace(itself, certificate=issue(order.content, issuer=itself, expected=expected))

    def _signed(self, order: Order, spec: FaultSpec, issuer: Issuer, now: datetime) -> x509.Certificate:
        """Sign with `issuer`, linted against the issuer and the content that would be right."""
        right_issuer = self._authorities.issuer(AuthorityName.TPP_ISSUING)
        return issue(
            spec.change(order, now) if spec.change else order.content,
            issuer=issuer,
            expected=expectation(order, issuer=right_issuer, now=now, key_rules=self._profiles.csr),
            faults=spec.findings,
        )


def _issued(
    record: CertificateRecord,
    key: _Key,
    *,
    kind: TppCertificateKind,
    certificate: x509.Certificate,
    issuer: Issuer,
    notes: tuple[str, ...],
) -> IssuedCertificate:
    return IssuedCertificate(
        certificate=pem_of(certificate),
        chain=issuer.chain_pem,
        private_key=private_pem(key.private).decode("ascii") if key.private else None,
        serial=record.serial,
        sha256=record.sha256,
        not_before=record.not_before,
        not_after=record.not_after,
        kind=kind,
        fault=record.fault,
        notes=notes,
    )
