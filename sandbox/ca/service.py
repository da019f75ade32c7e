"""The certificate authority: one object for the register, the portal and the command line.

Every certificate passes check, build, lint, sign, record; every revocation publishes a new CRL before it returns.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from psd2.qualified import PdsLocation
from sandbox.ca.authorities import Authorities, Unusable, authority_name, load_pair
from sandbox.ca.errors import HierarchyDamaged, SubjectRefused, UnknownCertificate
from sandbox.ca.faults import fault_name
from sandbox.ca.hierarchy import Hierarchy
from sandbox.ca.issuance import pem_of
from sandbox.ca.model import TppCertificateKind, parse_serial, serial_text
from sandbox.ca.ocsp import Responder, answer
from sandbox.ca.platform_certificates import PUBLISHING, ocsp_signer_paths
from sandbox.ca.profiles import AuthorityName, ProfileName
from sandbox.ca.quota import IssuingLimits
from sandbox.ca.revocations import Revocations, require_publishing
from sandbox.ca.tpp_certificates import TppCertificates

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chassis.home import Home, KeyPairPaths
    from psd2.clock import Clock
    from sandbox.ca.model import CertificateRecord, Fault, IssuedCertificate, RevocationReason, TppSubject
    from sandbox.ca.profiles import Profiles
    from sandbox.ca.records import CertificateRecords
    from sandbox.ca.renewal import Renewal

MOST_LISTED: Final = 1_000
_DISCLOSURE_LANGUAGE: Final = "en"


class CertificateAuthority:
    """Issues, renews, lists and revokes certificates; serves CRLs, OCSP answers and authority certificates."""

    def __init__(
        self,
        *,
        records: CertificateRecords,
        home: Home,
        profiles: Profiles,
        clock: Clock,
        pki_base: str = "http://localhost:8439/pki",
        disclosure_url: str = "https://localhost:8440/pki/disclosure",
        public_host: str = "localhost",
        limits: IssuingLimits | None = None,
        random_serial: Callable[[], int] = x509.random_serial_number,
    ) -> None:
        """`pki_base` is the plain-HTTP address of CRLs, OCSP and certificates; `disclosure_url` (HTTPS) goes into QcPDS."""
        self._records = records
        self._home = home
        self._profiles = profiles
        self._clock = clock
        self._authorities = Authorities(home)
        self._revocations = Revocations(records=records, authorities=self._authorities, rules=profiles.crl, clock=clock)
        self._hierarchy = Hierarchy(
            home=home,
            profiles=profiles,
            records=records,
            clock=clock,
            random_serial=random_serial,
            pki_base=pki_base,
            public_host=public_host,
        )
        self._tpp_certificates = TppCertificates(
            records=records,
            authorities=self._authorities,
            revocations=self._revocations,
            profiles=profiles,
            clock=clock,
            random_serial=random_serial,
            pki_base=pki_base,
            disclosure=PdsLocation(url=disclosure_url, language=_DISCLOSURE_LANGUAGE),
            limits=limits or IssuingLimits(),
        )

    # --- the hierarchy ------------------------------------------------------------------------------------------------

    def ensure_hierarchy(self) -> tuple[CertificateRecord, ...]:
        """Make what is missing under `certs/` and renew what is due; returns what was issued.

        Raises HierarchyDamaged (a file is missing or does not fit) and HierarchyBusy.
        """
        return self._hierarchy.ensure()

    def ensure_listener(self, paths: KeyPairPaths) -> x509.Certificate:
        """Make or renew what a TPP's own server on this machine presents; returns it. Raises as `ensure_hierarchy`."""
        return self._hierarchy.ensure_listener(paths)

    def renew_due(self) -> tuple[CertificateRecord, ...]:
        """Renew server, internal and OCSP certificates that are due, and sign CRLs anew; returns what was issued."""
        issued = self._hierarchy.ensure()
        for ca in PUBLISHING:
            self.crl(ca)
        return issued

    def renewals(self) -> tuple[Renewal, ...]:
        """Return the platform's certificates, each with when it is renewed."""
        return self._hierarchy.renewals()

    @property
    def tpp_renewal_lead(self) -> timedelta:
        """How long before its end a TPP had better renew a certificate."""
        profiles = self._profiles.profiles
        return timedelta(days=max(profiles[name].renew_days for name in (ProfileName.QWAC, ProfileName.QSEAL)))

    def ca_certificate(self, name: str) -> bytes:
        """Return an authority's certificate as DER (`root`, `tpp-issuing`, …). Raises UnknownAuthority."""
        return self._authorities.certificate(authority_name(name)).public_bytes(Encoding.DER)

    def tpp_trust_anchors(self) -> list[str]:
        """Return as PEM whom a bank trusts for TPPs: the issuing authority itself, as EU trusted lists do."""
        return [pem_of(self._authorities.certificate(AuthorityName.TPP_ISSUING))]

    # --- TPP certificates ---------------------------------------------------------------------------------------------

    def issue_tpp_certificate(
        self, *, tpp: TppSubject, kind: TppCertificateKind | str, csr: bytes | None = None, fault: Fault | str | None = None
    ) -> IssuedCertificate:
        """Issue a QWAC or a QSealC; without `csr` the key is made here and handed over once.

        Raises CsrRefused, SubjectRefused, FaultUnavailable, TooManyCertificates, IssuingLimitReached.
        """
        chosen = fault_name(fault) if fault is not None else None
        return self._tpp_certificates.issue(tpp=tpp, kind=_kind(kind), csr=csr, fault=chosen)

    def renew(self, *, serial: str, tpp: TppSubject, csr: bytes | None = None) -> IssuedCertificate:
        """Issue a successor from the register's present data; the old certificate stays valid until it ends.

        Raises what `issue_tpp_certificate` raises, and UnknownCertificate if `serial` is not one of this TPP's.
        """
        old = self.certificate(serial)
        if old.tpp != tpp.name or old.profile not in set(TppCertificateKind):
            raise UnknownCertificate(f"{serial}: no certificate of {tpp.name}")
        return self._tpp_certificates.issue(tpp=tpp, kind=TppCertificateKind(old.profile), csr=csr, replaces=old.serial)

    def certificates(self, tpp: str | None = None, *, limit: int = MOST_LISTED) -> list[CertificateRecord]:
        """List certificates, newest first: a TPP's by its short name, or all, the platform's own included."""
        return self._records.listed(tpp=tpp, limit=min(max(limit, 1), MOST_LISTED))

    def certificate(self, serial: str) -> CertificateRecord:
        """Return the record of a serial number in hex, colons allowed. Raises UnknownCertificate."""
        number = parse_serial(serial)
        record = self._records.get(serial_text(number)) if number is not None else None
        if record is None:
            raise UnknownCertificate(f"{serial[:80]!r}: no certificate with this serial number was issued here")
        return record

    # --- revocation ---------------------------------------------------------------------------------------------------

    def revoke(self, serial: str, reason: RevocationReason | str) -> CertificateRecord:
        """Revoke for good and publish the CRL; returns the record as it is now. Raises UnknownCertificate, NotRevocable."""
        return self._revocations.revoke(self.certificate(serial).serial, reason)

    def crl(self, ca_name: str) -> bytes:
        """Return the authority's CRL as DER, signed anew when it is due. Raises UnknownAuthority."""
        return self._revocations.crl(ca_name)

    def ocsp_response(self, ca_name: str, request_der: bytes) -> bytes:
        """Answer an OCSP request as DER; errors in it are answered too. Raises UnknownAuthority, HierarchyDamaged."""
        ca = require_publishing(ca_name)
        now = self._clock.now()
        responder, rules = self._responder(ca, now), self._profiles.ocsp
        return answer(request_der, responder=responder, look_up=self._revocations.looked_up(ca), now=now, rules=rules)

    def _responder(self, ca: AuthorityName, now: datetime) -> Responder:
        paths = ocsp_signer_paths(self._home, ca)
        try:
            pair = load_pair(paths)
            if pair.certificate.not_valid_after_utc <= now:
                self._hierarchy.ensure()
                pair = load_pair(paths)
        except Unusable as error:
            raise HierarchyDamaged(str(error)) from error
        return Responder(authority=self._authorities.certificate(ca), certificate=pair.certificate, key=pair.key)


def _kind(kind: TppCertificateKind | str) -> TppCertificateKind:
    try:
        return TppCertificateKind(kind)
    except ValueError as error:
        raise SubjectRefused("kind", f"{kind[:64]!r} is no kind of certificate: {', '.join(TppCertificateKind)}") from error
