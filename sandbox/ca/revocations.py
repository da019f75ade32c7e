"""Revoking for good, and the CRLs that say so (RFC 5280 §5)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.ca.authorities import authority_name
from sandbox.ca.crl import is_due, next_number, sign_crl
from sandbox.ca.errors import NotRevocable, UnknownAuthority, UnknownCertificate
from sandbox.ca.model import RevocationReason
from sandbox.ca.platform_certificates import PUBLISHING
from sandbox.ca.profiles import AuthorityName
from sandbox.ca.records import Revocation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from psd2.clock import Clock
    from sandbox.ca.authorities import Authorities
    from sandbox.ca.crl import PublishedCrl, RevokedEntry
    from sandbox.ca.model import CertificateRecord
    from sandbox.ca.profiles import CrlRules
    from sandbox.ca.records import CertificateRecords


class Revocations:
    """Revokes certificates and publishes what was revoked."""

    def __init__(self, *, records: CertificateRecords, authorities: Authorities, rules: CrlRules, clock: Clock) -> None:
        """Sign with `authorities`, as often as `rules` say."""
        self._records = records
        self._authorities = authorities
        self._rules = rules
        self._clock = clock

    def revoke(self, serial: str, reason: RevocationReason | str) -> CertificateRecord:
        """Revoke and publish in one step; returns the record as it is now. Raises UnknownCertificate, NotRevocable."""
        record = self._required(serial)
        if record.ca not in PUBLISHING:
            raise NotRevocable(f"{serial}: its issuer, {record.ca}, publishes no revocations")
        now = self._clock.now()
        revocation = Revocation(serial=serial, reason=_reason(reason), at=now)
        if self._publish(AuthorityName(record.ca), now, revocation) is None:
            raise NotRevocable(f"{serial}: is revoked already")
        return self._required(serial)

    def crl(self, ca_name: str) -> bytes:
        """Return the authority's CRL as DER, signed anew when it is due. Raises UnknownAuthority."""
        ca = require_publishing(ca_name)
        now = self._clock.now()
        crl = self._records.crl(ca)
        if crl is None or is_due(crl, issuer=self._authorities.issuer(ca), now=now, rules=self._rules):
            crl = self._publish(ca, now, None)
        if crl is None:
            raise UnknownAuthority(f"{ca}: has no CRL")
        return crl.der

    def looked_up(self, ca: AuthorityName) -> Callable[[str], CertificateRecord | None]:
        """Return a look-up among what `ca` has issued, for OCSP."""

        def look_up(serial: str) -> CertificateRecord | None:
            record = self._records.get(serial)
            return record if record is not None and record.ca == ca else None

        return look_up

    def _publish(self, ca: AuthorityName, now: datetime, revocation: Revocation | None) -> PublishedCrl | None:
        issuer, rules = self._authorities.issuer(ca), self._rules

        def sign(entries: Sequence[RevokedEntry], previous: int | None) -> PublishedCrl:
            return sign_crl(issuer, entries, number=next_number(previous, now), now=now, rules=rules)

        # Expired certificates leave the list, but not before it was published once after they had expired.
        unexpired_at = now - timedelta(days=rules.keep_expired_days)
        return self._records.publish_crl(ca, sign, revocation=revocation, unexpired_at=unexpired_at)

    def _required(self, serial: str) -> CertificateRecord:
        record = self._records.get(serial)
        if record is None:
            raise UnknownCertificate(f"{serial}: no certificate with this serial number was issued here")
        return record


def require_publishing(name: str) -> AuthorityName:
    """Return the authority of this name if it publishes revocations. Raises UnknownAuthority."""
    ca = authority_name(name)
    if ca not in PUBLISHING:
        raise UnknownAuthority(f"{ca}: publishes no revocations; these do: {', '.join(PUBLISHING)}")
    return ca


def _reason(reason: RevocationReason | str) -> RevocationReason:
    try:
        return RevocationReason(reason)
    except ValueError as error:
        raise NotRevocable(f"{str(reason)[:64]!r} is no reason: {', '.join(RevocationReason)} (RFC 5280 §5.3.1)") from error
