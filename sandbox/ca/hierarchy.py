"""The hierarchy on disk: made when missing, renewed before it expires.

A renewal keeps its key, so that one atomic replacement of one file renews it: a listener that reloads never meets a
certificate with another one's key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from chassis.files import write_private, write_public
from sandbox.ca.authorities import START_ANEW, KeyPair, Unusable, load_pair
from sandbox.ca.content import authority_subject, pki_addresses
from sandbox.ca.errors import HierarchyDamaged
from sandbox.ca.issuance import Issuer, issue, pem_of, record_of
from sandbox.ca.keys import make_key, private_pem
from sandbox.ca.locking import exclusive
from sandbox.ca.model import CertificateStatus, serial_text
from sandbox.ca.orders import Basis, authority_order, expectation, platform_order
from sandbox.ca.platform_certificates import listener_certificate, platform_certificates
from sandbox.ca.profiles import AuthorityName, ProfileName
from sandbox.ca.renewal import Renewal, renewal_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography import x509

    from chassis.home import Home, KeyPairPaths
    from psd2.clock import Clock
    from sandbox.ca.keys import PrivateKey
    from sandbox.ca.model import CertificateRecord
    from sandbox.ca.orders import Order
    from sandbox.ca.platform_certificates import PlatformCertificate
    from sandbox.ca.profiles import Profiles
    from sandbox.ca.records import CertificateRecords

_AUTHORITY_PROFILE = "authority"


@dataclass(frozen=True, slots=True)
class _Made:
    """A certificate that is signed and waits to be recorded and written; no new key means that the old one stays."""

    paths: KeyPairPaths
    certificate: x509.Certificate
    chain: str
    new_key: PrivateKey | None
    record: CertificateRecord


@dataclass(slots=True)
class _Round:
    """One walk through the hierarchy: the authorities met, what stands, what was made."""

    now: datetime
    issuers: dict[AuthorityName, Issuer] = field(default_factory=dict)
    standing: list[CertificateRecord] = field(default_factory=list)
    made: list[_Made] = field(default_factory=list)

    def signer(self, issuer: str) -> Issuer | None:
        """Return the authority that a profile names as issuer; None for one that signs itself."""
        return None if issuer == "self" else self.issuers[AuthorityName(issuer)]


class Hierarchy:
    """Brings the files of a home to what they ought to be."""

    def __init__(
        self,
        *,
        home: Home,
        profiles: Profiles,
        records: CertificateRecords,
        clock: Clock,
        random_serial: Callable[[], int],
        pki_base: str,
        public_host: str,
    ) -> None:
        """`pki_base` is where revocations are served, `public_host` what the edge is called from outside."""
        self._home = home
        self._profiles = profiles
        self._records = records
        self._clock = clock
        self._random_serial = random_serial
        self._pki_base = pki_base
        self._public_host = public_host

    def ensure(self) -> tuple[CertificateRecord, ...]:
        """Make what is missing and renew what is due; returns what was issued, nothing if all is well.

        Safe to call from several processes at once: one works, the others wait. Raises HierarchyDamaged, HierarchyBusy.
        """
        with exclusive(self._home.certs / "ca" / ".lock"):
            round_ = _Round(now=self._clock.now())
            self._authorities(round_)
            self._present(platform_certificates(self._home, public_host=self._public_host), round_)
            self._record(round_)
            self._write(round_)
        return tuple(item.record for item in round_.made)

    def ensure_listener(self, paths: KeyPairPaths) -> x509.Certificate:
        """Make what a TPP's own server on this machine presents, or renew it when due; returns it. Raises as `ensure`."""
        with exclusive(self._home.certs / "ca" / ".lock"):
            round_ = _Round(now=self._clock.now())
            self._authorities(round_)
            self._present([listener_certificate(paths)], round_)
            self._record(round_)
            self._write(round_)
        return load_pair(paths).certificate

    def renewals(self) -> tuple[Renewal, ...]:
        """Return the platform's certificates that stand, each with when it is renewed."""
        wanted = platform_certificates(self._home, public_host=self._public_host)
        pairs = ((each, _pair_or_none(each.paths)) for each in wanted)
        return tuple(
            Renewal(each.paths.certificate, self._profiles.profiles[each.profile], pair.certificate)
            for each, pair in pairs
            if pair is not None
        )

    def _authorities(self, round_: _Round) -> None:
        for name in AuthorityName:  # the root stands first
            self._authority(name, round_)

    def _authority(self, name: AuthorityName, round_: _Round) -> None:
        paths = self._home.ca(name)
        signer = round_.signer(self._profiles.authorities[name].issuer)
        if paths.certificate.exists() or paths.key.exists():
            pair = _standing_authority(paths, signer, round_.now)
            ca = signer.ca if signer else name
            round_.standing.append(record_of(pair.certificate, ca=ca, profile=_AUTHORITY_PROFILE, now=round_.now))
        else:
            pair = self._make_authority(name, signer, round_)
        round_.issuers[name] = Issuer(name, pair.certificate.subject, pair.key, pair.certificate)

    def _make_authority(self, name: AuthorityName, signer: Issuer | None, round_: _Round) -> KeyPair:
        profile = self._profiles.authorities[name]
        key = make_key(profile.key)
        basis = self._basis(key, round_.now, published_by=AuthorityName(signer.ca) if signer else None)
        order = authority_order(profile, self._profiles.authority, basis)
        issuer = signer or Issuer(name, authority_subject(self._profiles.authority, profile.common_name), key)
        certificate = self._issued(order, issuer, round_.now)
        record = record_of(certificate, ca=issuer.ca, profile=_AUTHORITY_PROFILE, now=round_.now)
        round_.made.append(_Made(self._home.ca(name), certificate, chain="", new_key=key, record=record))
        return KeyPair(certificate=certificate, key=key)

    def _present(self, presented: Iterable[PlatformCertificate], round_: _Round) -> None:
        wanted = [(each, _pair_or_none(each.paths)) for each in presented]
        statuses = self._records.statuses(_serial(pair) for _each, pair in wanted if pair)
        for each, pair in wanted:
            is_revoked = pair is not None and statuses.get(_serial(pair)) is CertificateStatus.REVOKED
            # The key of a revoked certificate is never used again, whatever the reason was.
            self._platform_certificate(each, None if is_revoked else pair, round_)

    def _platform_certificate(self, wanted: PlatformCertificate, pair: KeyPair | None, round_: _Round) -> None:
        issuer = round_.issuers[wanted.issuer]
        if pair is not None and self._is_right(pair.certificate, wanted, issuer, round_.now):
            round_.standing.append(record_of(pair.certificate, ca=issuer.ca, profile=wanted.profile, now=round_.now))
        elif pair is not None:
            self._make_platform_certificate(wanted, issuer, round_, key=pair.key, key_is_new=False)
        else:
            key = make_key(self._profiles.profiles[wanted.profile].key)
            self._make_platform_certificate(wanted, issuer, round_, key=key, key_is_new=True)

    def _make_platform_certificate(
        self, wanted: PlatformCertificate, issuer: Issuer, round_: _Round, *, key: PrivateKey, key_is_new: bool
    ) -> None:
        order = platform_order(
            self._profiles.profiles[wanted.profile],
            self._profiles.authority,
            self._basis(key, round_.now, published_by=wanted.issuer if wanted.is_published else None),
            wanted=wanted,
            issuer=issuer,
        )
        certificate = self._issued(order, issuer, round_.now)
        chain = issuer.chain_pem if wanted.profile is ProfileName.SERVER else ""
        record = record_of(certificate, ca=issuer.ca, profile=wanted.profile, now=round_.now)
        round_.made.append(_Made(wanted.paths, certificate, chain, key if key_is_new else None, record))

    def _basis(self, key: PrivateKey, now: datetime, *, published_by: AuthorityName | None) -> Basis:
        addresses = pki_addresses(self._pki_base, published_by) if published_by else None
        return Basis(serial=self._random_serial(), public_key=key.public_key(), now=now, addresses=addresses)

    def _issued(self, order: Order, issuer: Issuer, now: datetime) -> x509.Certificate:
        expected = expectation(order, issuer=issuer, now=now, key_rules=self._profiles.csr)
        return issue(order.content, issuer=issuer, expected=expected)

    def _is_right(self, certificate: x509.Certificate, wanted: PlatformCertificate, issuer: Issuer, now: datetime) -> bool:
        renew_at = renewal_time(self._profiles.profiles[wanted.profile], certificate)
        is_in_time = certificate.not_valid_before_utc <= now < renew_at
        return is_in_time and wanted.is_named_in(certificate) and _has_issued(issuer, certificate)

    def _record(self, round_: _Round) -> None:
        """Record what was made, and what stands there from before the database was lost."""
        known = self._records.statuses(record.serial for record in round_.standing)
        adopted = [record for record in round_.standing if record.serial not in known]
        self._records.add([*(item.record for item in round_.made), *adopted])

    def _write(self, round_: _Round) -> None:
        for item in round_.made:
            if item.new_key is not None:
                write_private(item.paths.key, private_pem(item.new_key))
            write_public(item.paths.certificate, (pem_of(item.certificate) + item.chain).encode("ascii"))
        trust = round_.issuers[AuthorityName.ROOT].chain_pem.encode("ascii")
        bundle = self._home.trust_bundle
        if not bundle.is_file() or bundle.read_bytes() != trust:
            write_public(bundle, trust)


def _standing_authority(paths: KeyPairPaths, signer: Issuer | None, now: datetime) -> KeyPair:
    """Load an authority that is there already; it is never replaced silently, for others have put their trust in it."""
    try:
        pair = load_pair(paths)
    except Unusable as error:
        raise HierarchyDamaged(f"{error}; {START_ANEW}") from error
    if signer is not None and not _has_issued(signer, pair.certificate):
        raise HierarchyDamaged(f"{paths.certificate}: was not issued by the root beside it; {START_ANEW}")
    if pair.certificate.not_valid_after_utc <= now:
        expired_at = pair.certificate.not_valid_after_utc.isoformat()
        raise HierarchyDamaged(f"{paths.certificate}: expired at {expired_at}; {START_ANEW}")
    return pair


def _pair_or_none(paths: KeyPairPaths) -> KeyPair | None:
    try:
        return load_pair(paths)
    except Unusable:
        return None  # what the platform presents itself can be made anew at any time


def _serial(pair: KeyPair) -> str:
    return serial_text(pair.certificate.serial_number)


def _has_issued(issuer: Issuer, certificate: x509.Certificate) -> bool:
    if issuer.certificate is None:
        return False
    try:
        certificate.verify_directly_issued_by(issuer.certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
